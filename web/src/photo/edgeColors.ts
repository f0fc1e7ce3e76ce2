/**
 * The person's own colors along the edge, without the old background's: blur fusion (Forte: "Approximate Fast Foreground Color
 * Estimation", ICIP 2021). Around each soft pixel, foreground and background are weighted means taken at low resolution; what those
 * leave unexplained of the pixel goes to the foreground, F = F̂ + α (I − α F̂ − (1 − α) B̂).
 */
import { type Frame, type Rgb, clamp, resizeChannels, roundHalfEven } from "../arrays";

const LOW = 384;
const WINDOWS = [1 / 4, 1 / 48] as const;

/**
 * Cleans the colors where alpha is soft, in place.
 *
 * @param guide The frame made smaller before: where it is large enough, the means are taken of it.
 */
export function cleanEdge(frame: Frame, alpha: Uint8Array, guide: Rgb): void {
  const { width, height } = frame;
  const scale = Math.min(1, LOW / Math.max(width, height));
  const w = Math.max(1, roundHalfEven(width * scale));
  const h = Math.max(1, roundHalfEven(height * scale));
  const seen = guide.width >= w && guide.height >= h ? resizeChannels(guide, 3, w, h) : resizeChannels(frame, 4, w, h, 3);
  const share = resizeChannels({ data: alpha, width, height }, 1, w, h).map((value) => value / 255);
  let person: Float32Array = seen;
  let ground: Float32Array = seen;
  let means: [Float32Array, Float32Array] = [seen, seen];
  for (const window of WINDOWS) {
    const reach = Math.max(1, roundHalfEven(window * Math.max(w, h)) >> 1);
    const meanPerson = weightedMeans(person, share, w, h, reach);
    const meanGround = weightedMeans(ground, share.map((value) => 1 - value), w, h, reach);
    means = [meanPerson, meanGround];
    person = new Float32Array(seen.length);
    ground = new Float32Array(seen.length);
    for (let i = 0; i < share.length; i++) {
      const a = share[i]!;
      for (let c = i * 3; c < i * 3 + 3; c++) {
        const rest = seen[c]! - a * meanPerson[c]! - (1 - a) * meanGround[c]!;
        person[c] = clamp(meanPerson[c]! + a * rest, 0, 255);
        ground[c] = clamp(meanGround[c]! + (1 - a) * rest, 0, 255);
      }
    }
  }
  apply(frame, alpha, means, w, h);
}

function apply(frame: Frame, alpha: Uint8Array, means: readonly [Float32Array, Float32Array], w: number, h: number): void {
  const { width, height, data } = frame;
  const [person, ground] = means;
  for (let y = 0; y < height; y++) {
    const fy = clamp(((y + 0.5) * h) / height - 0.5, 0, h - 1);
    const y0 = Math.floor(fy);
    const v = fy - y0;
    const row0 = y0 * w;
    const row1 = Math.min(h - 1, y0 + 1) * w;
    for (let x = 0; x < width; x++) {
      const byte = alpha[y * width + x]!;
      if (byte === 0 || byte === 255) continue;
      const fx = clamp(((x + 0.5) * w) / width - 0.5, 0, w - 1);
      const x0 = Math.floor(fx);
      const u = fx - x0;
      const x1 = Math.min(w - 1, x0 + 1);
      const a = byte / 255;
      const at = (y * width + x) * 4;
      for (let c = 0; c < 3; c++) {
        const f = bilinear(person, row0 + x0, row0 + x1, row1 + x0, row1 + x1, u, v, c);
        const b = bilinear(ground, row0 + x0, row0 + x1, row1 + x0, row1 + x1, u, v, c);
        data[at + c] = clamp(f + a * (data[at + c]! - a * f - (1 - a) * b) + 0.5, 0, 255);
      }
    }
  }
}

function bilinear(
  values: Float32Array, p00: number, p10: number, p01: number, p11: number, u: number, v: number, channel: number,
): number {
  const above = values[p00 * 3 + channel]! * (1 - u) + values[p10 * 3 + channel]! * u;
  const below = values[p01 * 3 + channel]! * (1 - u) + values[p11 * 3 + channel]! * u;
  return above * (1 - v) + below * v;
}

/** Means in a window of 2 · reach + 1; the surer a pixel, the more it says. */
function weightedMeans(colors: Float32Array, share: Float32Array, w: number, h: number, reach: number): Float32Array {
  const sums = new Float32Array(w * h * 4);
  for (let i = 0; i < share.length; i++) {
    const square = share[i]! * share[i]!;
    const weight = square * square + 1e-4;
    sums[i * 4] = colors[i * 3]! * weight;
    sums[i * 4 + 1] = colors[i * 3 + 1]! * weight;
    sums[i * 4 + 2] = colors[i * 3 + 2]! * weight;
    sums[i * 4 + 3] = weight;
  }
  sumAlongRows(sums, w, h, reach);
  const means = new Float32Array(w * h * 3);
  sumAlongColumns(sums, w, h, reach, (row, y) => {
    for (let i = 0, to = y * w * 3; i < row.length; i += 4, to += 3) {
      const total = row[i + 3]!;
      means[to] = row[i]! / total;
      means[to + 1] = row[i + 1]! / total;
      means[to + 2] = row[i + 2]! / total;
    }
  });
  return means;
}

/** Sums of four channels in windows of 2 · reach + 1, cut off at the border, in place. */
function sumAlongRows(values: Float32Array, w: number, h: number, reach: number): void {
  const length = w * 4;
  const row = new Float32Array(length);
  for (let y = 0; y < h; y++) {
    const base = y * length;
    row.set(values.subarray(base, base + length));
    for (let c = 0; c < 4; c++) {
      let sum = 0;
      for (let x = c, end = Math.min(reach * 4, length); x < end; x += 4) sum += row[x]!;
      for (let x = c, ahead = c + reach * 4, behind = c - (reach + 1) * 4; x < length; x += 4, ahead += 4, behind += 4) {
        if (ahead < length) sum += row[ahead]!;
        if (behind >= 0) sum -= row[behind]!;
        values[base + x] = sum;
      }
    }
  }
}

/** The same along columns, handed out row by row. */
function sumAlongColumns(values: Float32Array, w: number, h: number, reach: number, take: (row: Float64Array, y: number) => void): void {
  const length = w * 4;
  const sum = new Float64Array(length);
  const add = (y: number, sign: number): void => {
    for (let x = 0, at = y * length; x < length; x++, at++) sum[x] = sum[x]! + sign * values[at]!;
  };
  for (let y = 0; y < Math.min(reach, h); y++) add(y, 1);
  for (let y = 0; y < h; y++) {
    if (y + reach < h) add(y + reach, 1);
    if (y - reach - 1 >= 0) add(y - reach - 1, -1);
    take(sum, y);
  }
}
