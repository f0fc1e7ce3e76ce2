/** One function from (photo, alpha, look) to the finished picture: what is done by Python's `standout.compositing.finish`. */
import { type Alpha, type Box, type Frame, boxAround, clamp, roundHalfEven } from "../arrays";
import { contrast, settle } from "../cleanAlpha";
import type { Color } from "../color";
import { constants } from "../constants";
import { enlargeAlpha } from "../guidedFilter";
import type { Coarse } from "../predictor";
import { type SmallPicture, blurBackground, defaultBlur, gaussian } from "./background";
import { cleanEdge } from "./edgeColors";
import { findPeople, keepPeople } from "./people";
import { type Stroke, drawStrokes } from "./strokes";
import { asWords, resizeAlpha } from "../resize";

/** What comes behind the person, ready to be drawn; a picture has the photo's size already. */
export type Behind =
  | { readonly kind: "transparent" }
  | { readonly kind: "color"; readonly color: Color }
  | { readonly kind: "blur"; readonly radius?: number }
  | { readonly kind: "picture"; readonly picture: Frame };

export interface Look {
  readonly behind: Behind;
  /** Crops to the person, with a margin that is a share of the person's longer side. */
  readonly crop: boolean;
  readonly shadow: boolean;
  /** Numbers of the people to keep, counted from the left; empty keeps all. */
  readonly keep: readonly number[];
  readonly strokes: readonly Stroke[];
}

/** What is shown of a photo, as bytes at full size. */
export function shownAlpha(coarse: Coarse, frame: Frame, look: Pick<Look, "keep" | "strokes">, threshold: number): Uint8Array {
  const { width, height } = frame;
  const alpha = look.keep.length ? keepPeople(coarse.alpha, findPeople(coarse.alpha, threshold), look.keep) : coarse.alpha;
  const plane = new Uint8Array(width * height);
  const steeper = contrast();
  enlargeAlpha(alpha, frame, coarse.guide, (left, top, tileWidth, tileHeight, values) => {
    for (let y = 0; y < tileHeight; y++) {
      const at = (top + y) * width + left;
      if (typeof values === "number") {
        plane.fill(values ? 255 : 0, at, at + tileWidth);
        continue;
      }
      for (let x = 0; x < tileWidth; x++) plane[at + x] = settle(values[y * tileWidth + x]!, steeper) * 255 + 0.5;
    }
  });
  drawStrokes(plane, width, height, look.strokes);
  // Transparency that was there stays.
  if (!isOpaque(frame)) for (let i = 0, j = 3; i < plane.length; i++, j += 4) plane[i] = (plane[i]! * frame.data[j]!) / 255;
  return plane;
}

function isOpaque({ data }: Frame): boolean {
  const words = asWords(data);
  let all = 0xff000000;
  if (words) for (let i = 0; i < words.length; i++) all &= words[i]!;
  else for (let j = 3; j < data.length; j += 4) all &= data[j]! << 24;
  return all >>> 24 === 255;
}

/**
 * Finishes a photo.
 *
 * @param frame Is written on.
 * @returns The picture, and where it lies in the photo.
 */
export function renderPhoto(coarse: Coarse, frame: Frame, look: Look, threshold: number): { frame: Frame; box: Box } {
  const alpha = shownAlpha(coarse, frame, look, threshold);
  const { width, height } = frame;
  const person = look.shadow || look.crop ? boxAround(alpha, width, height, Math.floor(constants().crop.least * 255) + 1, 255) : undefined;
  const shadow = look.shadow && person ? dropShadow(alpha, width, height, person) : undefined;
  const { behind } = look;
  const blurred = behind.kind === "blur" ? blurBackground(frame, alpha, behind.radius ?? defaultBlur(width, height)) : undefined;
  cleanEdge(frame, alpha);
  const words = asWords(frame.data);
  if (words && behind.kind === "transparent" && !shadow && !look.crop) {
    for (let i = 0; i < alpha.length; i++) {
      const a = alpha[i]!;
      words[i] = a === 0 ? 0 : (words[i]! & 0xffffff) | (a << 24);
    }
    return { frame, box: { left: 0, top: 0, width, height } };
  }
  const box = look.crop && person ? cropBox(person, shadow?.box, width, height) : { left: 0, top: 0, width, height };
  const data = new Uint8ClampedArray(box.width * box.height * 4);
  const back = new Float32Array(box.width * 3);
  for (let y = 0; y < box.height; y++) {
    const row = (box.top + y) * width + box.left;
    const opaque = backgroundRow(behind, blurred, back, box, y, width, height);
    for (let x = 0; x < box.width; x++) {
      const a = alpha[row + x]! / 255;
      const from = (row + x) * 4;
      const to = (y * box.width + x) * 4;
      const dark = shadow ? shadow.at(box.left + x, box.top + y) : 0;
      if (opaque) {
        const rest = (1 - a) * (1 - dark);
        for (let c = 0; c < 3; c++) data[to + c] = frame.data[from + c]! * a + back[x * 3 + c]! * rest;
        data[to + 3] = 255;
        continue;
      }
      const total = a + dark * (1 - a);
      if (total <= 0) continue;
      for (let c = 0; c < 3; c++) data[to + c] = (frame.data[from + c]! * a) / total;
      data[to + 3] = total * 255;
    }
  }
  return { frame: { data, width: box.width, height: box.height }, box };
}

/** Fills one row of the background; false if there is none. */
function backgroundRow(
  behind: Behind, blurred: SmallPicture | undefined, out: Float32Array, box: Box, y: number, width: number, height: number,
): boolean {
  if (behind.kind === "transparent") return false;
  if (behind.kind === "color") {
    if (y === 0) for (let i = 0; i < out.length; i++) out[i] = behind.color[i % 3]!;
    return true;
  }
  if (behind.kind === "picture") {
    let from = ((box.top + y) * width + box.left) * 4;
    for (let x = 0; x < box.width; x++, from += 4) {
      out[x * 3] = behind.picture.data[from]!;
      out[x * 3 + 1] = behind.picture.data[from + 1]!;
      out[x * 3 + 2] = behind.picture.data[from + 2]!;
    }
    return true;
  }
  enlargeRow(blurred!, out, box, y, width, height);
  return true;
}

function enlargeRow(small: SmallPicture, out: Float32Array, box: Box, y: number, width: number, height: number): void {
  const fy = clamp(((box.top + y + 0.5) * small.height) / height - 0.5, 0, small.height - 1);
  const y0 = Math.floor(fy);
  const v = fy - y0;
  const upper = y0 * small.width;
  const lower = Math.min(small.height - 1, y0 + 1) * small.width;
  for (let x = 0; x < box.width; x++) {
    const fx = clamp(((box.left + x + 0.5) * small.width) / width - 0.5, 0, small.width - 1);
    const x0 = Math.floor(fx);
    const u = fx - x0;
    const x1 = Math.min(small.width - 1, x0 + 1);
    for (let c = 0; c < 3; c++) {
      const above = small.data[(upper + x0) * 3 + c]! * (1 - u) + small.data[(upper + x1) * 3 + c]! * u;
      const below = small.data[(lower + x0) * 3 + c]! * (1 - u) + small.data[(lower + x1) * 3 + c]! * u;
      out[x * 3 + c] = above * (1 - v) + below * v;
    }
  }
}

/** The person with the margin, and all of the shadow. */
function cropBox(person: Box, shadow: Box | undefined, width: number, height: number): Box {
  const room = roundHalfEven(constants().crop.margin * Math.max(person.width, person.height));
  const dark = shadow ?? person;
  const left = Math.max(0, Math.min(person.left - room, dark.left));
  const top = Math.max(0, Math.min(person.top - room, dark.top));
  return {
    left, top, width: Math.min(width, Math.max(person.left + person.width + room, dark.left + dark.width)) - left,
    height: Math.min(height, Math.max(person.top + person.height + room, dark.top + dark.height)) - top,
  };
}

interface Shadow {
  /** How dark it is at a pixel, 0 … 1. */
  readonly at: (x: number, y: number) => number;
  /** Where it is seen. */
  readonly box: Box | undefined;
}

/** The person's shadow; it falls to the lower right. */
function dropShadow(alpha: Uint8Array, width: number, height: number, person: Box): Shadow {
  const { offset, softness, darkness, work_side } = constants().shadow;
  const side = Math.max(person.width, person.height);
  const scale = Math.min(1, work_side / Math.max(width, height));
  const w = Math.max(1, roundHalfEven(width * scale));
  const h = Math.max(1, roundHalfEven(height * scale));
  const bytes: Alpha = { data: Float32Array.from(alpha), width, height };
  const small = resizeAlpha(bytes, w, h).data;
  const moved = new Float32Array(w * h);
  const dx = Math.round(offset[0]! * side * scale);
  const dy = Math.round(offset[1]! * side * scale);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) moved[y * w + x] = (small[clamp(y - dy, 0, h - 1) * w + clamp(x - dx, 0, w - 1)]! / 255) * darkness;
  }
  const soft = gaussian(moved, w, h, Math.max(0.5, softness * side * scale), 1);
  const at = (x: number, y: number): number => {
    const fx = clamp(((x + 0.5) * w) / width - 0.5, 0, w - 1);
    const fy = clamp(((y + 0.5) * h) / height - 0.5, 0, h - 1);
    const x0 = Math.floor(fx);
    const y0 = Math.floor(fy);
    const x1 = Math.min(w - 1, x0 + 1);
    const y1 = Math.min(h - 1, y0 + 1);
    const u = fx - x0;
    const v = fy - y0;
    const above = soft[y0 * w + x0]! * (1 - u) + soft[y0 * w + x1]! * u;
    const below = soft[y1 * w + x0]! * (1 - u) + soft[y1 * w + x1]! * u;
    return above * (1 - v) + below * v;
  };
  const seen = boxAround(Uint8Array.from(soft, (value) => value * 255), w, h, Math.floor(constants().crop.least * 255) + 1, 255);
  if (!seen) return { at, box: undefined };
  const [left, top] = [Math.floor((seen.left * width) / w), Math.floor((seen.top * height) / h)];
  const right = Math.ceil(((seen.left + seen.width) * width) / w);
  const bottom = Math.ceil(((seen.top + seen.height) * height) / h);
  return { at, box: { left, top, width: right - left, height: bottom - top } };
}
