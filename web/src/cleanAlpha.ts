/** From a network's output to the alpha that people see: the rules of Python's `standout.inference.clean_alpha`. */
import type { Alpha } from "./arrays";
import { connectedPieces, nearestLabel } from "./components";

/** Soft edges and hair reach this far from a person's pixels above the threshold, in pixels of the network … */
const EDGE = 12;
/** … and within so many more pixels what is left of alpha fades away. */
const FADE = 8;
/** With a smaller share of the pixels than this at the threshold, nobody counts as found. */
export const NOBODY_BELOW = 1e-4;
/** A network's alpha below this, or as near to 1, says "background" or "person", only not loudly: Python's `UNDECIDED`. */
const UNDECIDED = 0.2;
/** Of the line between: around 0.5 alpha gets steeper by so much. */
export const CONTRAST = 1 / (1 - 2 * UNDECIDED);

/**
 * Hysteresis (Canny 1986) on connected pieces: keeps alpha in and near pieces that somewhere reach `certainty`, and fades it to 0
 * elsewhere. The coat rack that looks a little like a person has no pixel that is sure.
 */
export function dropGuesses(alpha: Alpha, certainty: number, threshold: number): Alpha {
  if (certainty <= threshold) return alpha;
  const { data, width, height } = alpha;
  const person = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) person[i] = data[i]! >= threshold ? 1 : 0;
  const { labels, pieces } = connectedPieces(person, width, height);
  const sure = new Uint8Array(pieces.length + 1);
  for (let i = 0; i < data.length; i++) if (data[i]! >= certainty) sure[labels[i]!] = 1;
  sure[0] = 0;
  const result = new Float32Array(data.length);
  if (!sure.includes(1)) return { data: result, width, height };
  const kept = labels;
  for (let i = 0; i < kept.length; i++) kept[i] = sure[kept[i]!]!;
  const { distance } = nearestLabel(kept, width, height);
  for (let i = 0; i < data.length; i++) {
    // A guess right beside a person who stays goes too.
    if (person[i] && !kept[i]) continue;
    const weight = (EDGE + FADE - distance[i]!) / FADE;
    result[i] = weight >= 1 ? data[i]! : weight <= 0 ? 0 : data[i]! * weight;
  }
  return { data: result, width, height };
}

export function isNobody(alpha: Alpha, threshold: number): boolean {
  let count = 0;
  for (const value of alpha.data) if (value >= threshold) count++;
  return count < NOBODY_BELOW * alpha.data.length;
}

/** The straight line that makes an alpha of a network's probability: 0.2 becomes 0, 0.8 becomes 1, 0.5 stays. Photos and cameras. */
export function settle(value: number): number {
  const line = (value - 0.5) * CONTRAST + 0.5;
  return line <= 0 ? 0 : line >= 1 ? 1 : line;
}
