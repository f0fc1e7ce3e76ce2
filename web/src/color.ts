import { StandoutError } from "./errors";

/** Red, green and blue, 0 … 255. */
export type Color = readonly [number, number, number];

/** A color of `#rrggbb`, `#rgb`, or any of CSS's names, which the browser knows. */
export function parseColor(text: string): Color {
  const name = text.trim().toLowerCase();
  const context = new OffscreenCanvas(1, 1).getContext("2d")!;
  // What the browser doesn't know leaves the color as it was.
  const [first, second] = ["#000000", "#ffffff"].map((before) => {
    context.fillStyle = before;
    context.fillStyle = name;
    return context.fillStyle;
  });
  const parts = /^#(..)(..)(..)$/.exec(first!);
  if (first !== second || !parts || !/^(#[0-9a-f]{3}|#[0-9a-f]{6}|(?!currentcolor)[a-z]+)$/.test(name)) {
    throw new StandoutError("input", `A color must be #rrggbb or one of CSS's names, as white; received ${text.slice(0, 40)}.`);
  }
  return [parseInt(parts[1]!, 16), parseInt(parts[2]!, 16), parseInt(parts[3]!, 16)];
}
