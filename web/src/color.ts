import { StandoutError } from "./errors";

/** Red, green and blue, 0 … 255. */
export type Color = readonly [number, number, number];

const NAMED: Readonly<Record<string, Color>> = {
  white: [255, 255, 255], black: [0, 0, 0], gray: [128, 128, 128], grey: [128, 128, 128], red: [255, 0, 0],
  green: [0, 128, 0], blue: [0, 0, 255], yellow: [255, 255, 0],
};

/** A color of `white` or `#rrggbb`, `#rgb`. */
export function parseColor(text: string): Color {
  const name = text.trim().toLowerCase();
  const named = NAMED[name];
  if (named) return named;
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/.exec(name);
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/.exec(name);
  const parts = short?.slice(1).map((digit) => digit + digit) ?? long?.slice(1);
  if (!parts) {
    throw new StandoutError("input", `A color must be #rrggbb or one of ${Object.keys(NAMED).join(", ")}; received ${text}.`);
  }
  return [parseInt(parts[0]!, 16), parseInt(parts[1]!, 16), parseInt(parts[2]!, 16)];
}
