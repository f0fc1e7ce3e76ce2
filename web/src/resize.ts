/** Pictures and alphas of another size: area when shrinking, bilinear when growing, as OpenCV does. */
import { type Alpha, type Frame, type Rgb, clamp } from "./arrays";

/** Which source pixels make a target pixel, and their shares: area when shrinking, linear when growing. */
function taps(from: number, to: number, area: boolean): { start: Int32Array; count: Int32Array; weights: Float32Array; most: number } {
  const scale = from / to;
  const most = area ? Math.ceil(scale) + 1 : 2;
  const start = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Float32Array(to * most);
  for (let i = 0; i < to; i++) {
    if (!area) {
      const at = (i + 0.5) * scale - 0.5;
      const base = Math.floor(at);
      const share = at - base;
      const first = clamp(base, 0, from - 1);
      const second = clamp(base + 1, 0, from - 1);
      start[i] = first;
      count[i] = second > first ? 2 : 1;
      weights[i * most] = second > first ? 1 - share : 1;
      if (second > first) weights[i * most + 1] = share;
      continue;
    }
    const low = i * scale;
    const high = Math.min(from, (i + 1) * scale);
    const first = Math.floor(low + 1e-6);
    const last = Math.min(from - 1, Math.ceil(high - 1e-6) - 1);
    start[i] = first;
    count[i] = last - first + 1;
    for (let j = first; j <= last; j++) {
      weights[i * most + j - first] = (Math.min(high, j + 1) - Math.max(low, j)) / (high - low);
    }
  }
  return { start, count, weights, most };
}

interface Plane {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

/**
 * Resizes interleaved channels: area when shrinking, bilinear when growing, as OpenCV does.
 *
 * @param channels Of the source.
 * @param keep The first so many are kept: 3 drops RGBA's last.
 */
export function resizeChannels(source: Plane, channels: number, width: number, height: number, keep = channels): Float32Array {
  if (source.width === 2 * width && source.height === 2 * height && keep === channels) return halved(source, channels);
  const area = width * height < source.width * source.height && width <= source.width && height <= source.height;
  const across = taps(source.width, width, area);
  const down = taps(source.height, height, area);
  const result = new Float32Array(width * height * keep);
  const row = new Float32Array(width * keep);
  const data = source.data;
  // Bytes of RGBA are read as words; a sum of more than 257 bytes would run over its 16 bits.
  const words = area && channels === 4 && keep === 3 && across.most <= 257 ? asWords(data) : undefined;
  let held = -1;
  for (let y = 0; y < height; y++) {
    const out = y * width * keep;
    for (let j = 0; j < down.count[y]!; j++) {
      const sourceRow = down.start[y]! + j;
      const share = down.weights[y * down.most + j]!;
      // Two target rows may share a source row: it is summed up once.
      if (sourceRow !== held) {
        if (words) shrinkWords(words, sourceRow * source.width, across, width, row);
        else resizeRow(data, sourceRow * source.width * channels, channels, keep, across, width, row);
        held = sourceRow;
      }
      for (let i = 0; i < row.length; i++) result[out + i]! += share * row[i]!;
    }
  }
  return result;
}

/** Half the size: each pixel the mean of four. */
function halved(source: Plane, channels: number): Float32Array {
  const { data } = source;
  const width = source.width >> 1;
  const height = source.height >> 1;
  const row = source.width * channels;
  const result = new Float32Array(width * height * channels);
  let to = 0;
  for (let y = 0; y < height; y++) {
    let from = 2 * y * row;
    for (let x = 0; x < width; x++, from += channels) {
      for (let c = 0; c < channels; c++, from++) {
        result[to++] = (data[from]! + data[from + channels]! + data[from + row]! + data[from + row + channels]!) / 4;
      }
    }
  }
  return result;
}

/** RGBA bytes as one word a pixel (red lowest: every machine that runs WebAssembly is little-endian), or undefined for other arrays. */
export function asWords(data: ArrayLike<number>): Uint32Array | undefined {
  const bytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  return bytes && data.byteOffset % 4 === 0 ? new Uint32Array(data.buffer, data.byteOffset, data.length >> 2) : undefined;
}

/** A row of RGBA made smaller to RGB: pixels that lie whole inside a target pixel are summed as integers, red and blue in one word. */
function shrinkWords(words: Uint32Array, base: number, across: ReturnType<typeof taps>, width: number, row: Float32Array): void {
  const { start, count, weights, most } = across;
  for (let x = 0, out = 0, w = 0; x < width; x++, out += 3, w += most) {
    let at = base + start[x]!;
    const last = at + count[x]! - 1;
    const first = words[at]!;
    let share = weights[w]!;
    let r = share * (first & 255);
    let g = share * ((first >>> 8) & 255);
    let b = share * ((first >>> 16) & 255);
    if (last > at) {
      let redBlue = 0;
      let green = 0;
      for (at++; at < last; at++) {
        const word = words[at]!;
        redBlue += word & 0xff00ff;
        green += (word >>> 8) & 255;
      }
      // All of them have the same share.
      share = weights[w + 1]!;
      r += share * (redBlue & 0xffff);
      g += share * green;
      b += share * (redBlue >>> 16);
      const end = words[last]!;
      share = weights[w + count[x]! - 1]!;
      r += share * (end & 255);
      g += share * ((end >>> 8) & 255);
      b += share * ((end >>> 16) & 255);
    }
    row[out] = r;
    row[out + 1] = g;
    row[out + 2] = b;
  }
}

function resizeRow(
  data: ArrayLike<number>, base: number, channels: number, keep: number, across: ReturnType<typeof taps>, width: number, row: Float32Array,
): void {
  const { start, count, weights, most } = across;
  if (keep === 3) {
    for (let x = 0; x < width; x++) {
      let r = 0;
      let g = 0;
      let b = 0;
      let at = base + start[x]! * channels;
      for (let k = 0, w = x * most; k < count[x]!; k++, at += channels, w++) {
        const share = weights[w]!;
        r += share * data[at]!;
        g += share * data[at + 1]!;
        b += share * data[at + 2]!;
      }
      row[x * 3] = r;
      row[x * 3 + 1] = g;
      row[x * 3 + 2] = b;
    }
    return;
  }
  if (keep === 1 && channels === 1) {
    for (let x = 0; x < width; x++) {
      const w = x * most;
      let at = base + start[x]!;
      const last = at + count[x]! - 1;
      let sum = weights[w]! * data[at]!;
      if (last > at) {
        let whole = 0;
        for (at++; at < last; at++) whole += data[at]!;
        sum += weights[w + 1]! * whole + weights[w + count[x]! - 1]! * data[last]!;
      }
      row[x] = sum;
    }
    return;
  }
  if (keep === 4 && channels === 4) {
    for (let x = 0; x < width; x++) {
      let r = 0;
      let g = 0;
      let b = 0;
      let a = 0;
      let at = base + start[x]! * 4;
      for (let k = 0, w = x * most; k < count[x]!; k++, at += 4, w++) {
        const share = weights[w]!;
        r += share * data[at]!;
        g += share * data[at + 1]!;
        b += share * data[at + 2]!;
        a += share * data[at + 3]!;
      }
      row[x * 4] = r;
      row[x * 4 + 1] = g;
      row[x * 4 + 2] = b;
      row[x * 4 + 3] = a;
    }
    return;
  }
  for (let x = 0; x < width; x++) {
    for (let c = 0; c < keep; c++) {
      let sum = 0;
      for (let k = 0; k < count[x]!; k++) sum += weights[x * most + k]! * data[base + (start[x]! + k) * channels + c]!;
      row[x * keep + c] = sum;
    }
  }
}

export function resizeAlpha(alpha: Alpha, width: number, height: number): Alpha {
  if (alpha.width === width && alpha.height === height) return alpha;
  return { data: resizeChannels(alpha, 1, width, height), width, height };
}

/** An RGBA frame as RGB of another size. */
export function resizeToRgb(frame: Frame, width: number, height: number): Rgb {
  const data = new Uint8Array(width * height * 3);
  if (frame.width === width && frame.height === height) {
    for (let i = 0, j = 0; i < data.length; i += 3, j += 4) {
      data[i] = frame.data[j]!;
      data[i + 1] = frame.data[j + 1]!;
      data[i + 2] = frame.data[j + 2]!;
    }
    return { data, width, height };
  }
  const values = resizeChannels(frame, 4, width, height, 3);
  for (let i = 0; i < data.length; i++) data[i] = values[i]! + 0.5;
  return { data, width, height };
}
