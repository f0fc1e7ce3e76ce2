/** From a network's output to the alpha that people see: the rules of Python's `standout.inference.clean_alpha`. */
import type { Alpha, Frame } from "./arrays";
import { connectedPieces, nearestLabel } from "./components";
import { constants } from "./constants";
import { enlargeAlpha } from "./guidedFilter";
import type { Coarse } from "./predictor";

/** Where alpha is this many times the share of a person, somebody is there at any resolution. */
const SURELY = 20;

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
  const { edge, fade } = constants().hysteresis;
  for (let i = 0; i < data.length; i++) {
    // A guess right beside a person who stays goes too.
    if (person[i] && !kept[i]) continue;
    const weight = (edge + fade - distance[i]!) / fade;
    result[i] = weight >= 1 ? data[i]! : weight <= 0 ? 0 : data[i]! * weight;
  }
  return { data: result, width, height };
}

/** Whether nobody is there, decided at the photo's own size, as in Python; where it is plain before, without enlarging. */
export function isNobody({ alpha, guide }: Coarse, frame: Frame, threshold: number): boolean {
  const { share } = constants().nobody;
  let count = 0;
  let most = 0;
  for (const value of alpha.data) {
    if (value >= threshold) count++;
    if (value > most) most = value;
  }
  if (most === 0) return true;
  if (count >= SURELY * share * alpha.data.length) return false;
  let full = 0;
  enlargeAlpha(alpha, frame, guide, (_left, _top, width, height, values) => {
    if (typeof values === "number") full += values >= threshold ? width * height : 0;
    else for (const value of values) if (value >= threshold) full++;
  });
  return full < share * frame.width * frame.height;
}

/** How much steeper than the network's probability alpha is around 0.5. */
export function contrast(): number {
  return 1 / (1 - 2 * constants().clean_alpha.undecided);
}

/** The straight line that makes an alpha of a network's probability; 0.5 stays. Photos and cameras. */
export function settle(value: number, steeper: number): number {
  const line = (value - 0.5) * steeper + 0.5;
  return line <= 0 ? 0 : line >= 1 ? 1 : line;
}
