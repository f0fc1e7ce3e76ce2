/** The brush: strokes in shares of the picture, so that they can be drawn at any size and taken back one by one. */

export interface Stroke {
  readonly mode: "restore" | "erase";
  /** Of the brush, as a share of the picture's longer side. */
  readonly radius: number;
  /** x and y in turn, 0 … 1. */
  readonly points: readonly number[];
}

/** Draws strokes on an alpha of bytes, in place; the brush's outer fifth is soft. */
export function drawStrokes(alpha: Uint8Array, width: number, height: number, strokes: readonly Stroke[]): void {
  for (const stroke of strokes) {
    const radius = Math.max(0.5, stroke.radius * Math.max(width, height));
    const reached = new Map<number, Uint8Array>();
    const { points } = stroke;
    for (let i = 0; i + 1 < points.length; i += 2) {
      const from = Math.max(0, i - 2);
      segment(reached, width, height, points[from]! * width, points[from + 1]! * height, points[i]! * width, points[i + 1]! * height, radius);
    }
    for (const [y, row] of reached) {
      const base = y * width;
      for (let x = 0; x < width; x++) {
        const share = row[x]!;
        if (!share) continue;
        const before = alpha[base + x]!;
        alpha[base + x] = stroke.mode === "restore" ? Math.max(before, share) : Math.min(before, 255 - share);
      }
    }
  }
}

/** How far each pixel is under the brush along one segment, the most of all segments so far. */
function segment(
  reached: Map<number, Uint8Array>, width: number, height: number, x0: number, y0: number, x1: number, y1: number, radius: number,
): void {
  const left = Math.max(0, Math.floor(Math.min(x0, x1) - radius));
  const right = Math.min(width - 1, Math.ceil(Math.max(x0, x1) + radius));
  const top = Math.max(0, Math.floor(Math.min(y0, y1) - radius));
  const bottom = Math.min(height - 1, Math.ceil(Math.max(y0, y1) + radius));
  const dx = x1 - x0;
  const dy = y1 - y0;
  const length = dx * dx + dy * dy;
  const soft = Math.max(1, radius * 0.2);
  for (let y = top; y <= bottom; y++) {
    let row = reached.get(y);
    if (!row) {
      row = new Uint8Array(width);
      reached.set(y, row);
    }
    for (let x = left; x <= right; x++) {
      const px = x + 0.5 - x0;
      const py = y + 0.5 - y0;
      const t = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
      const distance = Math.hypot(px - t * dx, py - t * dy);
      const share = Math.min(1, Math.max(0, (radius - distance) / soft));
      const value = Math.round(share * 255);
      if (value > row[x]!) row[x] = value;
    }
  }
}
