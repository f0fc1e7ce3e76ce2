/** Pictures made smaller. */
import { describe, expect, it } from "vitest";
import { resizeChannels } from "../src/resize";

/** The mean of what a target pixel covers, pixels at its border by their share: slow and plain. */
function mean(data: ArrayLike<number>, width: number, height: number, channel: number, toWidth: number, toHeight: number, x: number, y: number): number {
  const [left, right] = [(x * width) / toWidth, ((x + 1) * width) / toWidth];
  const [top, bottom] = [(y * height) / toHeight, ((y + 1) * height) / toHeight];
  let sum = 0;
  for (let j = Math.floor(top); j < Math.min(height, bottom); j++) {
    for (let i = Math.floor(left); i < Math.min(width, right); i++) {
      const share = (Math.min(right, i + 1) - Math.max(left, i)) * (Math.min(bottom, j + 1) - Math.max(top, j));
      sum += share * data[(j * width + i) * 4 + channel]!;
    }
  }
  return sum / ((right - left) * (bottom - top));
}

describe("a picture made smaller", () => {
  // The last: more pixels a target pixel than a word can sum up.
  it.each([[97, 61, 13, 9], [64, 48, 32, 24], [50, 40, 49, 40], [2000, 3, 5, 1]])("%i×%i to %i×%i is the mean of what it covers", (w, h, tw, th) => {
    const bytes = Uint8ClampedArray.from({ length: w * h * 4 }, (_, i) => (i * 7919 + (i >> 3) * 104729) % 256);
    bytes.fill(255, 0, w * 4); // white is where sums are largest
    const small = resizeChannels({ data: bytes, width: w, height: h }, 4, tw, th, 3);
    const floats = resizeChannels({ data: Float32Array.from(bytes), width: w, height: h }, 4, tw, th, 3);
    for (let y = 0; y < th; y++) {
      for (let x = 0; x < tw; x++) {
        for (let c = 0; c < 3; c++) {
          const value = mean(bytes, w, h, c, tw, th, x, y);
          expect(small[(y * tw + x) * 3 + c]).toBeCloseTo(value, 2);
          expect(floats[(y * tw + x) * 3 + c]).toBeCloseTo(value, 2);
        }
      }
    }
  });
});
