/**
 * The array types that cross a module's border, and the arithmetic that everybody shares: the same rules as in Python's
 * `standout.imaging.arrays`, so that a photo gets the same alpha in both.
 */
import { StandoutError } from "./errors";

/** A picture as `ImageData` has it: RGBA bytes, row by row. */
export interface Frame {
  readonly data: Uint8ClampedArray | Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** RGB bytes at the network's size. */
export interface Rgb {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** How much of each pixel is person, in [0, 1]. */
export interface Alpha {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** Where a picture lies inside another, in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Rounds half to even, as Python does: the two must choose the same sizes. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

export function checkFrame(frame: Frame): void {
  if (!(frame.width >= 1 && frame.height >= 1) || frame.data.length !== frame.width * frame.height * 4) {
    throw new StandoutError(
      "input",
      `The picture must be RGBA of width × height × 4 bytes; received ${frame.data.length} bytes for ` +
        `${frame.width} × ${frame.height}.`,
    );
  }
}

/** The largest box of the picture's proportions inside a size, centered. */
export function letterboxBox(width: number, height: number, intoWidth: number, intoHeight: number): Box {
  const scale = Math.min(intoHeight / height, intoWidth / width);
  const inner = {
    width: Math.min(intoWidth, Math.max(1, roundHalfEven(width * scale))),
    height: Math.min(intoHeight, Math.max(1, roundHalfEven(height * scale))),
  };
  return {
    ...inner,
    left: Math.floor((intoWidth - inner.width) / 2),
    top: Math.floor((intoHeight - inner.height) / 2),
  };
}

/** The part of an alpha inside a box, as a copy. */
export function cutAlpha(alpha: Alpha, box: Box): Alpha {
  const data = new Float32Array(box.width * box.height);
  for (let y = 0; y < box.height; y++) {
    const from = (box.top + y) * alpha.width + box.left;
    data.set(alpha.data.subarray(from, from + box.width), y * box.width);
  }
  return { data, width: box.width, height: box.height };
}

/** The part of a frame inside a box, as a copy. */
export function cutFrame(frame: Frame, box: Box): Frame {
  const data = new Uint8Array(box.width * box.height * 4);
  for (let y = 0; y < box.height; y++) {
    const from = ((box.top + y) * frame.width + box.left) * 4;
    data.set(frame.data.subarray(from, from + box.width * 4), y * box.width * 4);
  }
  return { data, width: box.width, height: box.height };
}

/** The smallest box around the bytes of a plane that lie in `low` … `high`; undefined where none does. */
export function boxAround(plane: Uint8Array, width: number, height: number, low: number, high: number): Box | undefined {
  let left = width;
  let right = -1;
  let top = -1;
  let bottom = -1;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let first = 0;
    while (first < width && (plane[row + first]! < low || plane[row + first]! > high)) first++;
    if (first === width) continue;
    let last = width - 1;
    while (plane[row + last]! < low || plane[row + last]! > high) last--;
    if (top < 0) top = y;
    bottom = y;
    left = Math.min(left, first);
    right = Math.max(right, last);
  }
  return bottom < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}
