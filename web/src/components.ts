/** Connected pieces of a mask, and distances to them. */

export interface Piece {
  readonly left: number;
  readonly top: number;
  /** The first column and row outside. */
  readonly right: number;
  readonly bottom: number;
  readonly area: number;
  /** Center of gravity, across. */
  readonly centerX: number;
}

/** The 8-connected pieces of a mask: labels (0 is outside, pieces from 1) and what is known of each piece. */
export function connectedPieces(mask: Uint8Array, width: number, height: number): { labels: Int32Array; pieces: Piece[] } {
  const labels = new Int32Array(width * height);
  const pieces: Piece[] = [];
  // Each pixel is put on it once at most.
  const stack = new Int32Array(mask.length);
  let depth = 0;
  for (let seed = 0; seed < mask.length; seed++) {
    if (!mask[seed] || labels[seed]) continue;
    const label = pieces.length + 1;
    let left = width;
    let right = 0;
    let top = height;
    let bottom = 0;
    let area = 0;
    let sumX = 0;
    labels[seed] = label;
    stack[depth++] = seed;
    while (depth) {
      const at = stack[--depth]!;
      const y = (at / width) | 0;
      const x = at - y * width;
      area++;
      sumX += x;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
      const x0 = x > 0 ? -1 : 0;
      const x1 = x < width - 1 ? 1 : 0;
      const y0 = y > 0 ? -1 : 0;
      const y1 = y < height - 1 ? 1 : 0;
      for (let dy = y0; dy <= y1; dy++) {
        for (let dx = x0; dx <= x1; dx++) {
          const next = at + dy * width + dx;
          if (mask[next] && !labels[next]) {
            labels[next] = label;
            stack[depth++] = next;
          }
        }
      }
    }
    pieces.push({ left, top, right: right + 1, bottom: bottom + 1, area, centerX: sumX / area });
  }
  return { labels, pieces };
}

/**
 * The distance of each pixel to the nearest one with a label, and that label: the 5×5 chamfer distance that OpenCV's
 * `distanceTransform` computes (Borgefors 1986).
 */
export function nearestLabel(labels: Int32Array, width: number, height: number): { distance: Float32Array; owner: Int32Array } {
  const [straight, diagonal, knight] = [1, 1.4, 2.1969];
  const distance = new Float32Array(labels.length);
  const owner = Int32Array.from(labels);
  for (let i = 0; i < labels.length; i++) distance[i] = labels[i] ? 0 : 1e9;
  const steps: readonly (readonly [number, number, number])[] = [
    [-1, 0, straight], [0, -1, straight], [-1, -1, diagonal], [1, -1, diagonal],
    [-2, -1, knight], [2, -1, knight], [-1, -2, knight], [1, -2, knight],
  ];
  const costs = Float64Array.from(steps, ([, , cost]) => cost);
  for (const way of [1, -1]) {
    const offsets = Int32Array.from(steps, ([dx, dy]) => way * (dy * width + dx));
    for (let row = 0; row < height; row++) {
      const y = way > 0 ? row : height - 1 - row;
      const inner = y >= 2 && y < height - 2;
      for (let column = 0; column < width; column++) {
        const x = way > 0 ? column : width - 1 - column;
        const at = y * width + x;
        let best = distance[at]!;
        if (best === 0) continue;
        let from = at;
        if (inner && x >= 2 && x < width - 2) {
          for (let k = 0; k < 8; k++) {
            const there = at + offsets[k]!;
            const near = distance[there]! + costs[k]!;
            if (near < best) {
              best = near;
              from = there;
            }
          }
        } else {
          for (const [dx, dy, cost] of steps) {
            const nx = x + way * dx;
            const ny = y + way * dy;
            if (nx < 0 || nx >= width || ny < 0 || ny >= height) continue;
            const near = distance[ny * width + nx]! + cost;
            if (near < best) {
              best = near;
              from = ny * width + nx;
            }
          }
        }
        distance[at] = best;
        owner[at] = owner[from]!;
      }
    }
  }
  return { distance, owner };
}
