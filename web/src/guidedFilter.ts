/**
 * Alpha along the picture's own edges: the fast guided filter with a color guide (He & Sun, arXiv 1505.00996).
 *
 * At low resolution alpha is written in every window as a linear function of the guide's color, alpha = a · guide + b; the smooth
 * coefficients are enlarged, and the sharp picture itself brings the edge back. Same numbers as in Python.
 */
import { type Alpha, type Frame, type Rgb, clamp } from "./arrays";
import { constants } from "./constants";
import { resizeAlpha, resizeChannels } from "./resize";

/** (a_r, a_g, a_b, b) per pixel: alpha = a · guide + b with the guide in [0, 1]. */
export interface Coefficients {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** Means in windows of 3 × 3, borders reflected with the edge pixel repeated. */
function windowMeans(data: Float32Array, width: number, height: number, channels: number): Float32Array {
  const middle = new Float32Array(data.length);
  const result = new Float32Array(data.length);
  const share = 1 / 3;
  const rowLength = width * channels;
  for (let y = 0; y < height; y++) {
    const base = y * rowLength;
    for (let x = 0; x < width; x++) {
      const before = base + (x > 0 ? x - 1 : 0) * channels;
      const here = base + x * channels;
      const after = base + (x < width - 1 ? x + 1 : x) * channels;
      for (let c = 0; c < channels; c++) middle[here + c] = (data[before + c]! + data[here + c]! + data[after + c]!) * share;
    }
  }
  for (let y = 0; y < height; y++) {
    const above = (y > 0 ? y - 1 : 0) * rowLength;
    const here = y * rowLength;
    const below = (y < height - 1 ? y + 1 : y) * rowLength;
    for (let i = 0; i < rowLength; i++) result[here + i] = (middle[above + i]! + middle[here + i]! + middle[below + i]!) * share;
  }
  return result;
}

/** The coefficients for an alpha and the guide at alpha's size. */
export function guidedCoefficients(alpha: Alpha, guide: Rgb): Coefficients {
  const { subsample, epsilon } = constants().guided_filter;
  const leastDeterminant = epsilon ** 3;
  const width = Math.max(1, Math.floor(alpha.width / subsample));
  const height = Math.max(1, Math.floor(alpha.height / subsample));
  const small = resizeAlpha(alpha, width, height).data;
  const color = resizeChannels(guide, 3, width, height);
  const count = width * height;
  // r g b α | rα gα bα | rr gg bb rg rb gb
  const moments = new Float32Array(count * 13);
  for (let i = 0; i < count; i++) {
    // Rounded to bytes, as a picture of that size would be.
    const r = ((color[i * 3]! + 0.5) | 0) / 255;
    const g = ((color[i * 3 + 1]! + 0.5) | 0) / 255;
    const b = ((color[i * 3 + 2]! + 0.5) | 0) / 255;
    const a = small[i]!;
    const m = i * 13;
    moments[m] = r;
    moments[m + 1] = g;
    moments[m + 2] = b;
    moments[m + 3] = a;
    moments[m + 4] = r * a;
    moments[m + 5] = g * a;
    moments[m + 6] = b * a;
    moments[m + 7] = r * r;
    moments[m + 8] = g * g;
    moments[m + 9] = b * b;
    moments[m + 10] = r * g;
    moments[m + 11] = r * b;
    moments[m + 12] = g * b;
  }
  const mean = windowMeans(moments, width, height, 13);
  const lines = new Float32Array(count * 4);
  for (let i = 0; i < count; i++) {
    const m = i * 13;
    const mr = mean[m]!;
    const mg = mean[m + 1]!;
    const mb = mean[m + 2]!;
    const ma = mean[m + 3]!;
    const cr = mean[m + 4]! - mr * ma;
    const cg = mean[m + 5]! - mg * ma;
    const cb = mean[m + 6]! - mb * ma;
    // The 3×3 covariance of the colors, plus epsilon on the diagonal, inverted by its cofactors.
    const rr = mean[m + 7]! - mr * mr + epsilon;
    const gg = mean[m + 8]! - mg * mg + epsilon;
    const bb = mean[m + 9]! - mb * mb + epsilon;
    const rg = mean[m + 10]! - mr * mg;
    const rb = mean[m + 11]! - mr * mb;
    const gb = mean[m + 12]! - mg * mb;
    const crr = gg * bb - gb * gb;
    const crg = rb * gb - rg * bb;
    const crb = rg * gb - rb * gg;
    const cgg = rr * bb - rb * rb;
    const cgb = rg * rb - rr * gb;
    const cbb = rr * gg - rg * rg;
    const product = rr * crr + rg * crg + rb * crb;
    const determinant = product > leastDeterminant ? product : leastDeterminant;
    const ar = (crr * cr + crg * cg + crb * cb) / determinant;
    const ag = (crg * cr + cgg * cg + cgb * cb) / determinant;
    const ab = (crb * cr + cgb * cg + cbb * cb) / determinant;
    lines[i * 4] = ar;
    lines[i * 4 + 1] = ag;
    lines[i * 4 + 2] = ab;
    lines[i * 4 + 3] = ma - ar * mr - ag * mg - ab * mb;
  }
  return { data: windowMeans(lines, width, height, 4), width, height };
}

/** Takes one tile of the enlarged alpha: its values row by row, or the one value that all of it has. */
export type TakeTile = (left: number, top: number, width: number, height: number, values: Float32Array | number) => void;

/**
 * Enlarges alpha to the frame's size, tile by tile, so that a photo of 12 megapixels needs no float copy of itself.
 *
 * @param guide The frame at alpha's size.
 */
export function enlargeAlpha(alpha: Alpha, frame: Frame, guide: Rgb, take: TakeTile): void {
  const { width, height } = frame;
  if (height <= alpha.height || width <= alpha.width) {
    take(0, 0, width, height, resizeAlpha(alpha, width, height).data.map((value) => clamp(value, 0, 1)));
    return;
  }
  const coefficients = guidedCoefficients(alpha, guide);
  const { tile, decided, flat } = constants().guided_filter;
  const buffer = new Float32Array(tile * tile);
  for (let top = 0; top < height; top += tile) {
    for (let left = 0; left < width; left += tile) {
      const tileWidth = Math.min(tile, width - left);
      const tileHeight = Math.min(tile, height - top);
      const [low, high] = range(alpha, frame, left, top, tileWidth, tileHeight);
      if (high < decided || low > 1 - decided) {
        take(left, top, tileWidth, tileHeight, Math.round(low));
        continue;
      }
      const values = buffer.subarray(0, tileWidth * tileHeight);
      if (high - low < flat) enlargePlain(alpha, frame, left, top, tileWidth, tileHeight, values);
      else enlargeGuided(coefficients, frame, left, top, tileWidth, tileHeight, values);
      take(left, top, tileWidth, tileHeight, values);
    }
  }
}

/** The smallest and largest alpha that has a say in a tile. */
function range(alpha: Alpha, frame: Frame, left: number, top: number, width: number, height: number): [number, number] {
  const { subsample, radius } = constants().guided_filter;
  const margin = subsample * (2 * radius + 1);
  const scaleX = alpha.width / frame.width;
  const scaleY = alpha.height / frame.height;
  const x0 = Math.max(0, Math.trunc(left * scaleX) - margin);
  const x1 = Math.min(alpha.width, Math.ceil((left + width) * scaleX) + margin);
  const y0 = Math.max(0, Math.trunc(top * scaleY) - margin);
  const y1 = Math.min(alpha.height, Math.ceil((top + height) * scaleY) + margin);
  let low = Infinity;
  let high = -Infinity;
  for (let y = y0; y < y1; y++) {
    for (let i = y * alpha.width + x0, end = y * alpha.width + x1; i < end; i++) {
      const value = alpha.data[i]!;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return [low, high];
}

/** Positions and shares of bilinear enlarging along one axis, on pixel centers. */
function along(start: number, count: number, full: number, small: number): { first: Int32Array; second: Int32Array; share: Float32Array } {
  const first = new Int32Array(count);
  const second = new Int32Array(count);
  const share = new Float32Array(count);
  const scale = small / full;
  for (let i = 0; i < count; i++) {
    const at = (start + i + 0.5) * scale - 0.5;
    const base = Math.floor(at);
    share[i] = at - base;
    first[i] = clamp(base, 0, small - 1);
    second[i] = clamp(base + 1, 0, small - 1);
  }
  return { first, second, share };
}

function enlargePlain(
  alpha: Alpha, frame: Frame, left: number, top: number, width: number, height: number, out: Float32Array,
): void {
  const across = along(left, width, frame.width, alpha.width);
  const down = along(top, height, frame.height, alpha.height);
  for (let y = 0; y < height; y++) {
    const upper = down.first[y]! * alpha.width;
    const lower = down.second[y]! * alpha.width;
    const v = down.share[y]!;
    for (let x = 0; x < width; x++) {
      const u = across.share[x]!;
      const a = across.first[x]!;
      const b = across.second[x]!;
      const above = alpha.data[upper + a]! * (1 - u) + alpha.data[upper + b]! * u;
      const below = alpha.data[lower + a]! * (1 - u) + alpha.data[lower + b]! * u;
      out[y * width + x] = clamp(above * (1 - v) + below * v, 0, 1);
    }
  }
}

function enlargeGuided(
  coefficients: Coefficients, frame: Frame, left: number, top: number, width: number, height: number, out: Float32Array,
): void {
  const across = along(left, width, frame.width, coefficients.width);
  const down = along(top, height, frame.height, coefficients.height);
  const lines = coefficients.data;
  const rowLength = coefficients.width * 4;
  const row = new Float32Array(rowLength);
  for (let y = 0; y < height; y++) {
    const upper = down.first[y]! * rowLength;
    const lower = down.second[y]! * rowLength;
    const v = down.share[y]!;
    const from = across.first[0]! * 4;
    const to = across.second[width - 1]! * 4 + 4;
    for (let i = from; i < to; i++) row[i] = lines[upper + i]! * (1 - v) + lines[lower + i]! * v;
    let pixel = ((top + y) * frame.width + left) * 4;
    for (let x = 0; x < width; x++, pixel += 4) {
      const u = across.share[x]!;
      const w = 1 - u;
      const a = across.first[x]! * 4;
      const b = across.second[x]! * 4;
      const r = row[a]! * w + row[b]! * u;
      const g = row[a + 1]! * w + row[b + 1]! * u;
      const bl = row[a + 2]! * w + row[b + 2]! * u;
      const offset = row[a + 3]! * w + row[b + 3]! * u;
      const value = (r * frame.data[pixel]! + g * frame.data[pixel + 1]! + bl * frame.data[pixel + 2]!) / 255 + offset;
      out[y * width + x] = value < 0 ? 0 : value > 1 ? 1 : value;
    }
  }
}
