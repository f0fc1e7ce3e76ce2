/** Moving pictures: motion, smoothing without ghosts, finishing on the processor. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Alpha, Rgb } from "../src/arrays";
import { guidedCoefficients } from "../src/guidedFilter";
import { CpuCompositor } from "../src/live/cpu";
import type { LiveBehind } from "../src/live/compositor";
import { findMotion, halfGray } from "../src/live/motion";
import { Smoothing } from "../src/live/smoothing";
import { BACKGROUND, PERSON, Spans } from "../src/live/spans";

const [W, H] = [128, 96];

/** A textured block on a textured wall. */
function picture(left: number, base = 60): { rgb: Rgb; alpha: Alpha } {
  const data = new Uint8Array(W * H * 3);
  const alpha = new Float32Array(W * H);
  for (let y = 0; y < H; y++) {
    for (let x = 0; x < W; x++) {
      const inside = x >= left && x < left + 40 && y >= 24 && y < 88;
      const value = inside ? 150 + ((((x - left) >> 3) + (y >> 3)) % 2) * 70 : base + ((((x >> 2) * 7 + (y >> 2) * 13) % 5) * 6);
      data.fill(value, (y * W + x) * 3, (y * W + x) * 3 + 3);
      alpha[y * W + x] = inside ? 1 : 0;
    }
  }
  return { rgb: { data, width: W, height: H }, alpha: { data: alpha, width: W, height: H } };
}

describe("motion", () => {
  it("of a block that moved is found, and standing still is none", () => {
    const before = halfGray(picture(40).rgb);
    const after = halfGray(picture(46).rgb);
    const motion = findMotion(after, before);
    const middle = Math.floor(motion.rows / 2) * motion.columns + Math.floor(motion.columns / 2);
    expect(motion.dx[middle]).toBe(-3); // six pixels are three at half the size
    expect(findMotion(before, before).dx.every((value) => value === 0)).toBe(true);
  });
});

describe("smoothing", () => {
  it("quiets a flickering edge where nothing moves", () => {
    const smoothing = new Smoothing();
    const { rgb, alpha } = picture(40);
    const edge = 50 * W + 40;
    const seen: number[] = [];
    for (let i = 0; i < 12; i++) {
      const data = alpha.data.slice();
      data[edge] = i % 2 ? 0.3 : 0.7;
      seen.push(smoothing.next(rgb, { ...alpha, data }).data[edge]!);
    }
    const last = seen.slice(-4);
    expect(Math.max(...last) - Math.min(...last)).toBeLessThan(0.1);
  });

  it("leaves no ghost where somebody was", () => {
    const smoothing = new Smoothing();
    const first = picture(10);
    for (let i = 0; i < 4; i++) smoothing.next(first.rgb, first.alpha);
    const second = picture(80);
    const result = smoothing.next(second.rgb, second.alpha);
    let ghost = 0;
    for (let y = 24; y < 88; y++) for (let x = 10; x < 50; x++) ghost += result.data[y * W + x]!;
    expect(ghost / (64 * 40)).toBeLessThan(0.06);
  });

  it("forgets at a cut, and carries the last alpha along the motion", () => {
    const smoothing = new Smoothing();
    const first = picture(40);
    smoothing.next(first.rgb, first.alpha);
    const moved = picture(44);
    const carried = smoothing.carry(moved.rgb)!;
    let difference = 0;
    for (let i = 0; i < carried.data.length; i++) difference += Math.abs(carried.data[i]! - moved.alpha.data[i]!);
    expect(difference / carried.data.length).toBeLessThan(0.02);
    expect(smoothing.carry(picture(40, 200).rgb)).toBeUndefined();
  });
});

describe("spans that are surely person or background", () => {
  it("are just that for every color, and leave no pixel out", () => {
    const [columns, rows, width, height] = [13, 9, 64, 50];
    const data = new Float32Array(columns * rows * 4);
    for (let i = 0; i < columns * rows; i++) {
      const sure = i % 5 < 4;
      for (let c = 0; c < 3; c++) data[i * 4 + c] = Math.sin(i * 12.9 + c) * (sure ? 0.09 : 0.5);
      data[i * 4 + 3] = i % columns < 6 ? 0.03 : 0.97;
    }
    const spans = new Spans({ data, width: columns, height: rows }, width, height);
    const at = (c: number, r: number, color: readonly number[]): number => {
      const i = (Math.min(rows - 1, Math.max(0, r)) * columns + Math.min(columns - 1, Math.max(0, c))) * 4;
      return data[i]! * color[0]! + data[i + 1]! * color[1]! + data[i + 2]! * color[2]! + data[i + 3]!;
    };
    const sure = { [PERSON]: 0, [BACKGROUND]: 0 };
    for (let y = 0; y < height; y++) {
      spans.row(y);
      expect([spans.start[0], spans.start[spans.count]]).toEqual([0, width]);
      for (let span = 0; span < spans.count; span++) {
        expect(spans.start[span + 1]).toBeGreaterThan(spans.start[span]!);
        const kind = spans.kind[span];
        if (kind !== PERSON && kind !== BACKGROUND) continue;
        for (let x = spans.start[span]!; x < spans.start[span + 1]!; x++) {
          sure[kind]++;
          const fx = ((x + 0.5) * columns) / width - 0.5;
          const fy = ((y + 0.5) * rows) / height - 0.5;
          const [c, r] = [Math.floor(fx), Math.floor(fy)];
          for (let corner = 0; corner < 8; corner++) {
            const color = [corner & 1, (corner >> 1) & 1, corner >> 2];
            const above = at(c, r, color) * (1 - fx + c) + at(c + 1, r, color) * (fx - c);
            const below = at(c, r + 1, color) * (1 - fx + c) + at(c + 1, r + 1, color) * (fx - c);
            const alpha = above * (1 - fy + r) + below * (fy - r);
            if (kind === PERSON) expect(alpha).toBeGreaterThan(0.8 - 1e-5);
            else expect(alpha).toBeLessThan(0.2 + 1e-5);
          }
        }
      }
    }
    expect(sure[PERSON]).toBeGreaterThan(100);
    expect(sure[BACKGROUND]).toBeGreaterThan(100);
  });
});

describe("finishing on the processor", () => {
  beforeAll(() => {
    // Node has neither; the compositor asks only what kind its frame is.
    Object.assign(globalThis, { VideoFrame: class {}, ImageBitmap: class {} });
  });

  function finished(behind: LiveBehind): (x: number, y: number) => number[] {
    const { rgb, alpha } = picture(40);
    const frame = new Uint8ClampedArray(W * H * 4).fill(255);
    for (let i = 0, j = 0; i < rgb.data.length; i += 3, j += 4) frame.set(rgb.data.subarray(i, i + 3), j);
    const compositor = new CpuCompositor();
    Object.assign(compositor, { frame: { data: frame, width: W, height: H }, output: new Uint8ClampedArray(W * H * 4) });
    compositor.shrunken(W, H);
    compositor.setBehind(behind);
    compositor.draw(guidedCoefficients(alpha, rgb));
    const { output } = compositor as unknown as { output: Uint8ClampedArray };
    return (x, y) => [...output.slice((y * W + x) * 4, (y * W + x) * 4 + 4)];
  }

  it("shows nothing of the room before a color", () => {
    const at = finished({ kind: "color", color: [0, 200, 0] });
    expect(at(5, 5)).toEqual([0, 200, 0, 255]);
    expect(at(60, 50)[0]).toBeGreaterThan(140);
  });

  it("blurs the room by its own light", () => {
    const at = finished({ kind: "blur", strength: 1 });
    for (const x of [5, 30, 90]) expect(at(x, 50)[0]).toBeLessThan(95);
    expect(at(60, 50)[0]).toBeGreaterThan(140);
  });

  it("shows the frame itself only where that was asked for", () => {
    expect(finished({ kind: "none" })(60, 50)[3]).toBe(255);
  });
});
