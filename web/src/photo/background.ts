/** What comes behind the person of a photo: its own background out of focus, or another picture fitted to it. */
import { type Frame, clamp, resizeChannels, roundHalfEven } from "../arrays";

const WORK_RADIUS = 10;

/** 2.5 % of the longer side, pixels. */
export function defaultBlur(width: number, height: number): number {
  return Math.max(2, 0.025 * Math.max(width, height));
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
  const scale = Math.min(1, WORK_RADIUS / radius);
  const width = Math.max(1, roundHalfEven(frame.width * scale));
  const height = Math.max(1, roundHalfEven(frame.height * scale));
  const colors = resizeChannels(frame, 4, width, height, 3);
  const share = resizeChannels({ data: alpha, width: frame.width, height: frame.height }, 1, width, height);
  // A pixel that is even partly person carries the person's color: it lends no light, nor does its neighbor.
  const light = new Float32Array(share.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let most = 0;
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const at = clamp(y + dy, 0, height - 1) * width + clamp(x + dx, 0, width - 1);
          most = Math.max(most, share[at]!);
        }
      }
      light[y * width + x] = 1 - most / 255 > 0.98 ? 1 - most / 255 : 0;
    }
  }
  const filled = fill(colors, light, width, height);
  const weighted = new Float32Array(share.length * 4);
  for (let i = 0; i < share.length; i++) {
    // Where little of the background is in reach, what was filled takes over smoothly.
    const weight = light[i]! + 1e-3;
    for (let c = 0; c < 3; c++) weighted[i * 4 + c] = filled[i * 3 + c]! * weight;
    weighted[i * 4 + 3] = weight;
  }
  const blurred = gaussian(weighted, width, height, Math.max((radius * scale) / 2, 0.3));
  const data = new Float32Array(share.length * 3);
  for (let i = 0; i < share.length; i++) for (let c = 0; c < 3; c++) data[i * 3 + c] = blurred[i * 4 + c]! / blurred[i * 4 + 3]!;
  return { data, width, height };
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

/** A Gaussian on interleaved channels of four, borders mirrored. */
export function gaussian(values: Float32Array, width: number, height: number, sigma: number, channels = 4): Float32Array {
  const reach = Math.max(1, Math.ceil(sigma * 3));
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)));
  const total = kernel.reduce((a, b) => a + b);
  const mirrored = (at: number, count: number): number => {
    if (count === 1) return 0;
    const period = 2 * (count - 1);
    const folded = ((at % period) + period) % period;
    return folded < count ? folded : period - folded;
  };
  const pass = (source: Float32Array, across: boolean): Float32Array => {
    const out = new Float32Array(source.length);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const to = (y * width + x) * channels;
        for (let k = -reach; k <= reach; k++) {
          const weight = kernel[k + reach]! / total;
          const at = across ? y * width + mirrored(x + k, width) : mirrored(y + k, height) * width + x;
          for (let c = 0; c < channels; c++) out[to + c]! += source[at * channels + c]! * weight;
        }
      }
    }
    return out;
  };
  return pass(pass(values, true), false);
}

/** Where a picture lies when it fills another and keeps its proportions. */
export function coverBox(width: number, height: number, intoWidth: number, intoHeight: number): { x: number; y: number; width: number; height: number } {
  const scale = Math.max(intoWidth / width, intoHeight / height);
  const w = intoWidth / scale;
  const h = intoHeight / scale;
  return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
}
