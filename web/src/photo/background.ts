/** What comes behind the person of a photo: its own background out of focus, or another picture fitted to it. */
import { type Frame, roundHalfEven } from "../arrays";
import { constants } from "../constants";
import { resizeChannels } from "../resize";

/** The radius where none is asked for, pixels: a share of the longer side. */
export function defaultBlur(width: number, height: number): number {
  const { share, least } = constants().blur;
  return Math.max(least, share * Math.max(width, height));
}

/** RGB floats of a picture that is enlarged later. */
export interface SmallPicture {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/**
 * The background out of focus by its own light alone, so the person leaves no halo: blur(background · (1 − α)) / blur(1 − α) at
 * reduced size, the whole background, also behind the person.
 */
export function blurBackground(frame: Frame, alpha: Uint8Array, radius: number): SmallPicture {
  const scale = Math.min(1, constants().blur.work_radius / radius);
  const width = Math.max(1, roundHalfEven(frame.width * scale));
  const height = Math.max(1, roundHalfEven(frame.height * scale));
  const colors = resizeChannels(frame, 4, width, height, 3);
  const share = resizeChannels({ data: alpha, width: frame.width, height: frame.height }, 1, width, height);
  return { data: blurAround(colors, share, width, height, Math.max((radius * scale) / 2, 0.3)), width, height };
}

/**
 * `blurBackground` at the size where it is computed.
 *
 * @param colors RGB, interleaved.
 * @param share The person's, 0 … 255.
 * @param sigma Of the Gaussian, pixels.
 */
export function blurAround(colors: Float32Array, share: Float32Array, width: number, height: number, sigma: number): Float32Array {
  // A pixel that is even partly person carries the person's color: it lends no light, nor does its neighbor.
  const { lit, far } = constants().blur;
  const light = darkest(share, width, height);
  for (let i = 0; i < light.length; i++) light[i] = 1 - light[i]! / 255 > lit ? 1 - light[i]! / 255 : 0;
  const filled = fill(colors, light, width, height);
  const weighted = new Float32Array(share.length * 4);
  for (let i = 0; i < share.length; i++) {
    // Where little of the background is in reach, what was filled takes over smoothly.
    const weight = light[i]! + far;
    weighted[i * 4] = filled[i * 3]! * weight;
    weighted[i * 4 + 1] = filled[i * 3 + 1]! * weight;
    weighted[i * 4 + 2] = filled[i * 3 + 2]! * weight;
    weighted[i * 4 + 3] = weight;
  }
  const blurred = gaussian(weighted, width, height, sigma);
  const data = new Float32Array(share.length * 3);
  for (let i = 0, j = 0; i < data.length; i += 3, j += 4) {
    const weight = blurred[j + 3]!;
    data[i] = blurred[j]! / weight;
    data[i + 1] = blurred[j + 1]! / weight;
    data[i + 2] = blurred[j + 2]! / weight;
  }
  return data;
}

/** The largest value of each pixel and its eight neighbors. */
function darkest(values: Float32Array, width: number, height: number): Float32Array {
  const across = new Float32Array(values.length);
  const result = new Float32Array(values.length);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; x < width; x++) {
      const at = row + x;
      across[at] = Math.max(values[at]!, values[x > 0 ? at - 1 : at]!, values[x < width - 1 ? at + 1 : at]!);
    }
  }
  for (let y = 0; y < height; y++) {
    const above = y > 0 ? -width : 0;
    const below = y < height - 1 ? width : 0;
    for (let at = y * width, end = at + width; at < end; at++) {
      result[at] = Math.max(across[at]!, across[at + above]!, across[at + below]!);
    }
  }
  return result;
}

/** Fills what has no weight with the nearest light, by a pyramid: means go up, and down into the holes. */
function fill(colors: Float32Array, weight: Float32Array, width: number, height: number): Float32Array {
  const result = Float32Array.from(colors);
  if (Math.min(width, height) <= 2 || weight.every((value) => value > 0)) {
    const sum = [0, 0, 0, 0];
    for (let i = 0; i < weight.length; i++) {
      for (let c = 0; c < 3; c++) sum[c]! += colors[i * 3 + c]! * weight[i]!;
      sum[3]! += weight[i]!;
    }
    for (let i = 0; i < weight.length; i++) {
      if (weight[i]! <= 0) for (let c = 0; c < 3; c++) result[i * 3 + c] = sum[3] ? sum[c]! / sum[3] : 127;
    }
    return result;
  }
  const w = (width + 1) >> 1;
  const h = (height + 1) >> 1;
  const packed = new Float32Array(weight.length * 4);
  for (let i = 0; i < weight.length; i++) {
    for (let c = 0; c < 3; c++) packed[i * 4 + c] = colors[i * 3 + c]! * weight[i]!;
    packed[i * 4 + 3] = weight[i]!;
  }
  const half = resizeChannels({ data: packed, width, height }, 4, w, h);
  const halfColors = new Float32Array(w * h * 3);
  const halfWeight = new Float32Array(w * h);
  for (let i = 0; i < halfWeight.length; i++) {
    halfWeight[i] = half[i * 4 + 3]!;
    for (let c = 0; c < 3; c++) halfColors[i * 3 + c] = half[i * 4 + c]! / Math.max(halfWeight[i]!, 1e-6);
  }
  const back = resizeChannels({ data: fill(halfColors, halfWeight, w, h), width: w, height: h }, 3, width, height);
  for (let i = 0; i < weight.length; i++) if (weight[i]! <= 0) for (let c = 0; c < 3; c++) result[i * 3 + c] = back[i * 3 + c]!;
  return result;
}

/** A Gaussian on interleaved channels, borders mirrored. */
export function gaussian(values: Float32Array, width: number, height: number, sigma: number, channels = 4): Float32Array {
  const reach = Math.max(1, Math.ceil(sigma * 3));
  const kernel = Float32Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)));
  const total = kernel.reduce((a, b) => a + b);
  const length = width * channels;
  const middle = new Float32Array(values.length);
  const result = new Float32Array(values.length);
  // Whole rows are added up: plain loops over arrays, which is what a compiler makes fast.
  for (let y = 0; y < height; y++) {
    const out = y * length;
    const center = y * length;
    const most = kernel[reach]! / total;
    for (let i = 0; i < length; i++) middle[out + i] = values[center + i]! * most;
    for (let k = 1; k <= reach; k++) {
      const above = mirrored(y - k, height) * length;
      const below = mirrored(y + k, height) * length;
      const weight = kernel[k + reach]! / total;
      for (let i = 0; i < length; i++) middle[out + i]! += (values[above + i]! + values[below + i]!) * weight;
    }
  }
  const padded = new Float32Array((width + 2 * reach) * channels);
  for (let y = 0; y < height; y++) {
    const out = y * length;
    padded.set(middle.subarray(out, out + length), reach * channels);
    for (let k = 1; k <= reach; k++) {
      for (let c = 0; c < channels; c++) {
        padded[(reach - k) * channels + c] = middle[out + mirrored(-k, width) * channels + c]!;
        padded[(reach + width - 1 + k) * channels + c] = middle[out + mirrored(width - 1 + k, width) * channels + c]!;
      }
    }
    const most = kernel[reach]! / total;
    const center = reach * channels;
    for (let i = 0; i < length; i++) result[out + i] = padded[center + i]! * most;
    for (let k = 1; k <= reach; k++) {
      const weight = kernel[k + reach]! / total;
      const before = center - k * channels;
      const after = center + k * channels;
      for (let i = 0; i < length; i++) result[out + i]! += (padded[before + i]! + padded[after + i]!) * weight;
    }
  }
  return result;
}

function mirrored(at: number, count: number): number {
  if (count === 1) return 0;
  const period = 2 * (count - 1);
  const folded = ((at % period) + period) % period;
  return folded < count ? folded : period - folded;
}

/** Where a picture lies when it fills another and keeps its proportions. */
export function coverBox(width: number, height: number, intoWidth: number, intoHeight: number): { x: number; y: number; width: number; height: number } {
  const scale = Math.max(intoWidth / width, intoHeight / height);
  const w = intoWidth / scale;
  const h = intoHeight / scale;
  return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
}
