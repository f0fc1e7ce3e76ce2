/** Which pixels of a row are surely person or surely background: most of a frame, and no pixel of them need be computed. */
import { clamp } from "../arrays";
import { contrast } from "../cleanAlpha";
import type { Coefficients } from "../guidedFilter";

export const MIXED = 0;
export const BACKGROUND = 1;
export const PERSON = 2;

/**
 * The spans of one row after the other.
 *
 * A low-resolution cell's line, a · color + b, has bounds over all colors. A pixel's alpha lies between those of the four cells
 * around it, so where all four are sure, it is sure: exactly, not by guessing.
 */
export class Spans {
  /** Spans of the present row: span i covers the pixels from `start[i]` to `start[i + 1]`. */
  count = 0;
  readonly start: Int32Array;
  readonly kind: Uint8Array;
  private readonly cells: Uint8Array;
  /** First pixel whose left cell is cell c − 1. */
  private readonly edges: Int32Array;

  constructor(
    private readonly lines: Coefficients,
    private readonly width: number,
    private readonly height: number,
  ) {
    const { data, width: columns, height: rows } = lines;
    this.cells = new Uint8Array(columns * rows);
    // Alpha before the contrast: from here on it is 1, and up to there 0.
    const sure = 0.5 + 0.5 / contrast();
    const never = 0.5 - 0.5 / contrast();
    for (let i = 0; i < this.cells.length; i++) {
      let low = data[i * 4 + 3]!;
      let high = low;
      for (let c = 0; c < 3; c++) {
        const slope = data[i * 4 + c]!;
        if (slope > 0) high += slope;
        else low += slope;
      }
      this.cells[i] = low >= sure ? PERSON : high <= never ? BACKGROUND : MIXED;
    }
    // Pixel x lies right of the center of cell c when (x + 0.5) · columns / width − 0.5 ≥ c.
    this.edges = new Int32Array(columns + 2);
    for (let c = 0; c < columns; c++) this.edges[c + 1] = clamp(Math.ceil(((c + 0.5) * width) / columns - 0.5), 0, width);
    this.edges[columns + 1] = width;
    this.start = new Int32Array(columns + 2);
    this.kind = new Uint8Array(columns + 1);
  }

  /** Finds the spans of row `y`. */
  row(y: number): void {
    const { cells, edges, start, kind } = this;
    const { width: columns, height: rows } = this.lines;
    const at = clamp(((y + 0.5) * rows) / this.height - 0.5, 0, rows - 1);
    const upper = Math.floor(at) * columns;
    const lower = Math.min(rows - 1, Math.floor(at) + 1) * columns;
    let count = 0;
    for (let gap = 0; gap <= columns; gap++) {
      if (edges[gap] === edges[gap + 1]) continue;
      const left = gap > 0 ? gap - 1 : 0;
      const right = gap < columns ? gap : columns - 1;
      const one = cells[upper + left]!;
      const all = one === cells[lower + left] && one === cells[upper + right] && one === cells[lower + right] ? one : MIXED;
      if (count && kind[count - 1] === all) continue;
      start[count] = edges[gap]!;
      kind[count++] = all;
    }
    start[count] = this.width;
    this.count = count;
  }
}
