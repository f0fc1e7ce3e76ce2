/**
 * More than one look at a photograph: at its mirror image, and closer at the people in it (test-time augmentation). The rules of
 * Python's `standout.inference.tta`.
 */
import { type Alpha, type Box, type Frame, clamp, cutAlpha, roundHalfEven } from "./arrays";
import { connectedPieces } from "./components";
import { constants } from "./constants";
import { resizeAlpha } from "./resize";

/** The alpha of the mean of two looks' logits. */
export function agree(first: Alpha, second: Alpha): Alpha {
  const data = new Float32Array(first.data.length);
  // No look is surer than this: one that errs can be outvoted by another.
  const { doubt } = constants().looks;
  for (let i = 0; i < data.length; i++) {
    const p = clamp(first.data[i]!, doubt, 1 - doubt);
    const q = clamp(second.data[i]!, doubt, 1 - doubt);
    const person = Math.sqrt(p * q);
    data[i] = person / (person + Math.sqrt((1 - p) * (1 - q)));
  }
  return { data, width: first.width, height: first.height };
}

/** The box around everybody, guesses included, with a margin; null if there is nobody. */
export function peopleBox(alpha: Alpha, threshold: number): Box | null {
  const { data, width, height } = alpha;
  const { margin, margin_px, least_piece } = constants().looks;
  const mask = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) mask[i] = data[i]! >= threshold ? 1 : 0;
  const pieces = connectedPieces(mask, width, height).pieces.filter((piece) => piece.area >= least_piece * data.length);
  if (!pieces.length) return null;
  const left = Math.min(...pieces.map((piece) => piece.left));
  const top = Math.min(...pieces.map((piece) => piece.top));
  const right = Math.max(...pieces.map((piece) => piece.right));
  const bottom = Math.max(...pieces.map((piece) => piece.bottom));
  const across = Math.trunc(margin * (right - left)) + margin_px;
  const down = Math.trunc(margin * (bottom - top)) + margin_px;
  const x = Math.max(0, left - across);
  const y = Math.max(0, top - down);
  return { left: x, top: y, width: Math.min(width, right + across) - x, height: Math.min(height, bottom + down) - y };
}

export function scaledBox(box: Box, across: number, down: number): Box {
  const left = roundHalfEven(box.left * across);
  const top = roundHalfEven(box.top * down);
  const right = roundHalfEven((box.left + box.width) * across);
  const bottom = roundHalfEven((box.top + box.height) * down);
  return { left, top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
}

/** Both looks together, at the resolution of the closer one. */
export function putCloser(whole: Alpha, box: Box, near: Alpha, frame: Pick<Frame, "width" | "height">): Alpha {
  const { width, height } = frame;
  let scale = near.height / ((box.height * height) / whole.height);
  scale = Math.min(Math.max(scale, whole.height / height), 1, constants().looks.most_px / Math.max(height, width));
  const rows = Math.max(1, roundHalfEven(height * scale));
  const columns = Math.max(1, roundHalfEven(width * scale));
  const seen = agree(resizeAlpha(cutAlpha(whole, box), near.width, near.height), near);
  const enlarged = resizeAlpha(whole, columns, rows);
  const data = Float32Array.from(enlarged.data, (value) => clamp(value, 0, 1));
  const place = scaledBox(box, columns / whole.width, rows / whole.height);
  const part = resizeAlpha(seen, place.width, place.height);
  for (let y = 0; y < place.height && place.top + y < rows; y++) {
    for (let x = 0; x < place.width && place.left + x < columns; x++) {
      data[(place.top + y) * columns + place.left + x] = clamp(part.data[y * place.width + x]!, 0, 1);
    }
  }
  return { data, width: columns, height: rows };
}
