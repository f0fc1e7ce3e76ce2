/** Which person: by connected people, counted from the left, as Python's `standout.compositing.select` does. */
import { type Alpha, roundHalfEven } from "../arrays";
import { connectedPieces, nearestLabel } from "../components";
import { constants } from "../constants";
import { resizeAlpha } from "../resize";

export interface Person {
  /** Counted from the left, from 1. */
  readonly number: number;
  /** In shares of the picture, 0 … 1. */
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

interface Labeled {
  /** 0 nobody, else a person's number; at reduced size. */
  readonly labels: Int32Array;
  readonly width: number;
  readonly height: number;
  readonly people: readonly Person[];
}

export function findPeople(alpha: Alpha, threshold = 0.5): Labeled {
  const { work_side, least_share, least_of_largest } = constants().people;
  const scale = Math.min(1, work_side / Math.max(alpha.width, alpha.height));
  const width = Math.max(1, roundHalfEven(alpha.width * scale));
  const height = Math.max(1, roundHalfEven(alpha.height * scale));
  const small = resizeAlpha(alpha, width, height).data;
  const mask = new Uint8Array(small.length);
  for (let i = 0; i < mask.length; i++) mask[i] = small[i]! >= threshold ? 1 : 0;
  const { labels, pieces } = connectedPieces(mask, width, height);
  const largest = Math.max(0, ...pieces.map((piece) => piece.area));
  const least = Math.max(1, least_of_largest * largest, Math.min(least_share * mask.length, largest));
  const large = pieces
    .map((piece, index) => ({ piece, label: index + 1 }))
    .filter(({ piece }) => piece.area >= least)
    .sort((a, b) => a.piece.centerX - b.piece.centerX);
  const numbers = new Int32Array(pieces.length + 1);
  const people = large.map(({ piece, label }, index) => {
    numbers[label] = index + 1;
    return {
      number: index + 1, left: piece.left / width, top: piece.top / height, right: piece.right / width, bottom: piece.bottom / height,
    };
  });
  return { labels: labels.map((label) => numbers[label]!), width, height, people };
}

/** The number of the person at a point (shares of the picture), or undefined: a finger's breadth beside counts. */
export function personAt(found: Labeled, x: number, y: number): number | undefined {
  const at = { x: Math.min(found.width - 1, Math.floor(x * found.width)), y: Math.min(found.height - 1, Math.floor(y * found.height)) };
  const { distance, owner } = nearestLabel(found.labels, found.width, found.height);
  const index = at.y * found.width + at.x;
  return distance[index]! <= constants().people.near * Math.max(found.width, found.height) + 1 ? owner[index] : undefined;
}

/** Alpha of the people of these numbers alone; every pixel belongs to the nearest person, so hair goes with its owner. */
export function keepPeople(alpha: Alpha, found: Labeled, numbers: readonly number[]): Alpha {
  if (!found.people.length || numbers.length === found.people.length) return alpha;
  const { owner } = nearestLabel(found.labels, found.width, found.height);
  const kept = Float32Array.from(owner, (number) => (numbers.includes(number) ? 1 : 0));
  const mask = resizeAlpha({ data: kept, width: found.width, height: found.height }, alpha.width, alpha.height).data;
  return { data: alpha.data.map((value, i) => value * mask[i]!), width: alpha.width, height: alpha.height };
}
