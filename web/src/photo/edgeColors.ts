/**
 * The person's own colors along the edge, without the old background's: no green or white fringe. What Python's
 * `standout.compositing.foreground` does, and the same numbers.
 *
 * Multi-level foreground estimation (Germer, Uelwer, Conrad, Harmeling: "Fast Multi-Level Foreground Estimation", arXiv 2006.14970):
 * foreground F and background B minimize (α F + (1 − α) B − I)² + Σ over neighbors of (ε + |Δα|) ((F − Fₙ)² + (B − Bₙ)²), from the
 * coarsest picture to the finest. Only soft pixels are unknowns; beside them the picture is all person or all background. A large photo
 * gets F and B from a smaller picture, and the last step of blur fusion (Forte: "Approximate Fast Foreground Color Estimation", ICIP
 * 2021) brings back its own detail: F + α (I − α F − (1 − α) B).
 */
import { type Box, type Frame, boxAround, clamp } from "../arrays";
import { constants } from "../constants";
import { asWords, resizeChannels } from "../resize";

/** One size of the picture: RGB and alpha in 0 … 1, and the flat indices of its unknowns. */
interface Level {
  readonly pixels: Float32Array;
  readonly alpha: Float32Array;
  readonly unknown: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** F and B of a level's unknowns, RGB in 0 … 1, and each pixel's number among them, −1 for known ones. */
interface Solved {
  readonly fore: Float32Array;
  readonly back: Float32Array;
  readonly number: Int32Array;
  readonly width: number;
}

/** Cleans the colors where alpha is soft, in place. */
export function cleanEdge(frame: Frame, alpha: Uint8Array): void {
  const soft = boxAround(alpha, frame.width, frame.height, 1, 254);
  if (!soft) return;
  const { margin, work_side } = constants().edge_colors;
  const box = {
    left: Math.max(0, soft.left - margin), top: Math.max(0, soft.top - margin),
    right: Math.min(frame.width, soft.left + soft.width + margin), bottom: Math.min(frame.height, soft.top + soft.height + margin),
  };
  const step = Math.ceil(Math.max(box.right - box.left, soft.top + soft.height + margin - box.top) / work_side);
  const finest = shrunken(frame, alpha, box.left, box.top, box.right - box.left, box.bottom - box.top, step);
  const solved = solve(pyramid(finest));
  apply(frame, alpha, soft, finest, solved, box.left, box.top, step);
}

/** A part of the photo in whole steps: means of step × step pixels. */
function shrunken(frame: Frame, alpha: Uint8Array, left: number, top: number, fullWidth: number, fullHeight: number, step: number): Level {
  const width = Math.max(1, Math.floor(fullWidth / step));
  const height = Math.max(1, Math.floor(fullHeight / step));
  const [across, down] = [Math.min(step, fullWidth), Math.min(step, fullHeight)];
  const pixels = new Float32Array(width * height * 3);
  const share = new Float32Array(width * height);
  const soft = new Uint8Array(width * height);
  const scale = 1 / (255 * across * down);
  const words = asWords(frame.data) ?? new Uint32Array(frame.data.slice().buffer);
  for (let y = 0, out = 0; y < height; y++) {
    for (let x = 0; x < width; x++, out++) {
      let r = 0;
      let g = 0;
      let b = 0;
      let a = 0;
      let some = 0;
      for (let j = 0; j < down; j++) {
        // Red and blue in one word, which holds 257 pixels: the longest side that a canvas takes, 65,535, makes steps of 66.
        let redBlue = 0;
        const from = (top + y * step + j) * frame.width + left + x * step;
        for (let at = from; at < from + across; at++) {
          const word = words[at]!;
          const value = alpha[at]!;
          redBlue += word & 0xff00ff;
          g += (word >>> 8) & 255;
          a += value;
          // 0 for 0 and 255.
          some |= (value + 1) & 254;
        }
        r += redBlue & 0xffff;
        b += redBlue >>> 16;
      }
      pixels[out * 3] = r * scale;
      pixels[out * 3 + 1] = g * scale;
      pixels[out * 3 + 2] = b * scale;
      share[out] = a * scale;
      soft[out] = some ? 1 : 0;
    }
  }
  // Enlarging asks the neighbors of the soft pixels too, so these are solved as well.
  const unknown = step > 1 ? dilated(soft, width, height, 2) : soft;
  return { pixels, alpha: share, unknown, width, height };
}

function dilated(mask: Uint8Array, width: number, height: number, reach: number): Uint8Array {
  const result = new Uint8Array(mask.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!mask[y * width + x]) continue;
      const from = Math.max(0, x - reach);
      const to = Math.min(width, x + reach + 1);
      for (let j = Math.max(0, y - reach); j <= Math.min(height - 1, y + reach); j++) result.fill(1, j * width + from, j * width + to);
    }
  }
  return result;
}

/** The finest level first. */
function pyramid(finest: Level): Level[] {
  const levels = [finest];
  for (let level = finest; Math.max(level.width, level.height) > 2; ) {
    const width = (level.width + 1) >> 1;
    const height = (level.height + 1) >> 1;
    const alpha = resizeChannels({ data: level.alpha, width: level.width, height: level.height }, 1, width, height);
    const pixels = resizeChannels({ data: level.pixels, width: level.width, height: level.height }, 3, width, height);
    // Every unknown has its parent among the unknowns of the coarser level.
    const unknown = new Uint8Array(alpha.length);
    const { tiny } = constants().edge_colors;
    for (let i = 0; i < alpha.length; i++) unknown[i] = alpha[i]! > tiny && alpha[i]! < 1 - tiny ? 1 : 0;
    for (let y = 0; y < level.height; y++) {
      for (let x = 0; x < level.width; x++) if (level.unknown[y * level.width + x]) unknown[(y >> 1) * width + (x >> 1)] = 1;
    }
    level = { pixels, alpha, unknown, width, height };
    levels.push(level);
  }
  return levels;
}

/** From the coarsest level to the finest. */
function solve(levels: readonly Level[]): Solved {
  let coarser: Solved | undefined;
  for (let i = levels.length - 1; i >= 0; i--) coarser = sweep(levels[i]!, coarser ?? means(levels[i]!));
  return coarser!;
}

/** Where there is nothing coarser: the mean colors of person and background. */
function means(level: Level): [Float32Array, Float32Array] {
  const sums = [new Float32Array(3), new Float32Array(3)] as [Float32Array, Float32Array];
  const total = [0, 0];
  level.alpha.forEach((a, i) => {
    for (const [side, weight] of [a + 1e-6, 1 - a + 1e-6].entries()) {
      total[side]! += weight;
      for (let c = 0; c < 3; c++) sums[side]![c]! += level.pixels[i * 3 + c]! * weight;
    }
  });
  return [sums[0].map((value) => value / total[0]!), sums[1].map((value) => value / total[1]!)];
}

/** Jacobi sweeps over one level, on from the coarser level's answer. */
function sweep(level: Level, start: Solved | [Float32Array, Float32Array]): Solved {
  const { pixels, alpha, unknown, width, height } = level;
  const { flat, tiny, sweeps_small, sweeps_large, small } = constants().edge_colors;
  const number = new Int32Array(alpha.length).fill(-1);
  let count = 0;
  for (let i = 0; i < alpha.length; i++) if (unknown[i]) number[i] = count++;
  let fore = new Float32Array(count * 3);
  let back = new Float32Array(count * 3);
  const near = new Int32Array(count * 4);
  const weights = new Float32Array(count * 4);
  const knownFore = new Float32Array(count * 3);
  const knownBack = new Float32Array(count * 3);
  const totalFore = new Float32Array(count);
  const totalBack = new Float32Array(count);
  const place = new Int32Array(count);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const n = number[i]!;
      if (n < 0) continue;
      place[n] = i;
      const from = Array.isArray(start) ? 0 : start.number[(y >> 1) * start.width + (x >> 1)]! * 3;
      const [startFore, startBack] = Array.isArray(start) ? start : [start.fore, start.back];
      for (let c = 0; c < 3; c++) {
        fore[n * 3 + c] = startFore[from + c]!;
        back[n * 3 + c] = startBack[from + c]!;
      }
      let sumFore = 1e-8;
      let sumBack = 1e-8;
      for (let side = 0; side < 4; side++) {
        const inside = side === 0 ? x > 0 : side === 1 ? x < width - 1 : side === 2 ? y > 0 : y < height - 1;
        if (!inside) continue;
        const other = i + (side === 0 ? -1 : side === 1 ? 1 : side === 2 ? -width : width);
        const weight = flat + Math.abs(alpha[i]! - alpha[other]!);
        const otherNumber = number[other]!;
        if (otherNumber >= 0) {
          near[n * 4 + side] = otherNumber * 3;
          weights[n * 4 + side] = weight;
          sumFore += weight;
          sumBack += weight;
          continue;
        }
        const known = alpha[other]! >= 1 - tiny ? knownFore : alpha[other]! <= tiny ? knownBack : undefined;
        if (!known) continue;
        for (let c = 0; c < 3; c++) known[n * 3 + c]! += weight * pixels[other * 3 + c]!;
        if (known === knownFore) sumFore += weight;
        else sumBack += weight;
      }
      totalFore[n] = sumFore;
      totalBack[n] = sumBack;
    }
  }
  let nextFore = new Float32Array(count * 3);
  let nextBack = new Float32Array(count * 3);
  for (let left = count <= small ? sweeps_small : sweeps_large; left > 0; left--) {
    for (let n = 0; n < count; n++) {
      const a = alpha[place[n]!]!;
      const [tf, tb] = [totalFore[n]!, totalBack[n]!];
      // The 2 × 2 system of one pixel in closed form: the neighbors' mean plus its share of what is left unexplained.
      const determinant = tf * tb + a * a * tb + (1 - a) * (1 - a) * tf;
      const gainFore = (a * tb) / determinant;
      const gainBack = ((1 - a) * tf) / determinant;
      const q = n * 4;
      for (let c = 0; c < 3; c++) {
        const at = n * 3 + c;
        // Where no neighbor speaks, the coarser level does.
        let f = knownFore[at]! + 1e-8 * fore[at]!;
        let b = knownBack[at]! + 1e-8 * back[at]!;
        for (let side = q; side < q + 4; side++) {
          f += weights[side]! * fore[near[side]! + c]!;
          b += weights[side]! * back[near[side]! + c]!;
        }
        f /= tf;
        b /= tb;
        const rest = pixels[place[n]! * 3 + c]! - a * f - (1 - a) * b;
        nextFore[at] = clamp(f + gainFore * rest, 0, 1);
        nextBack[at] = clamp(b + gainBack * rest, 0, 1);
      }
    }
    [fore, nextFore] = [nextFore, fore];
    [back, nextBack] = [nextBack, back];
  }
  return { fore, back, number, width };
}

/** Brings the solved colors to the photo's soft pixels, with the photo's own detail. */
function apply(
  frame: Frame, alpha: Uint8Array, soft: Box, finest: Level, solved: Solved, left: number, top: number, step: number,
): void {
  const { width, height, pixels } = finest;
  const fore = Float32Array.from(pixels);
  const back = Float32Array.from(pixels);
  for (let i = 0; i < solved.number.length; i++) {
    const n = solved.number[i]! * 3;
    if (n < 0) continue;
    for (let c = 0; c < 3; c++) {
      fore[i * 3 + c] = solved.fore[n + c]!;
      back[i * 3 + c] = solved.back[n + c]!;
    }
  }
  for (let y = soft.top; y < soft.top + soft.height; y++) {
    const fy = clamp((y - top + 0.5) / step - 0.5, 0, height - 1);
    const y0 = Math.floor(fy);
    const v = fy - y0;
    const row0 = y0 * width;
    const row1 = Math.min(height - 1, y0 + 1) * width;
    for (let x = soft.left; x < soft.left + soft.width; x++) {
      const byte = alpha[y * frame.width + x]!;
      if (byte === 0 || byte === 255) continue;
      const fx = clamp((x - left + 0.5) / step - 0.5, 0, width - 1);
      const x0 = Math.floor(fx);
      const x1 = Math.min(width - 1, x0 + 1);
      const u = fx - x0;
      const a = byte / 255;
      const at = (y * frame.width + x) * 4;
      for (let c = 0; c < 3; c++) {
        const f = 255 * bilinear(fore, row0 + x0, row0 + x1, row1 + x0, row1 + x1, u, v, c);
        const b = 255 * bilinear(back, row0 + x0, row0 + x1, row1 + x0, row1 + x1, u, v, c);
        frame.data[at + c] = clamp(f + a * (frame.data[at + c]! - b - a * (f - b)) + 0.5, 0, 255);
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
