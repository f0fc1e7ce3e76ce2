/** Motion between two small gray pictures, block by block, and pictures moved along it. */
import { type Rgb, clamp } from "../arrays";

export interface Gray {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Where each block of a picture was in another, less where it is, pixels. */
export interface Motion {
  readonly dx: Float32Array;
  readonly dy: Float32Array;
  readonly columns: number;
  readonly rows: number;
}

const BLOCK = 8;
const REACH = 4;
/** What standing still is preferred by, in levels per pixel of a block: noise must not look like motion. */
const STILL = 1.5;

/** Half the size in gray: every 2×2 block's mean. */
export function halfGray(picture: Rgb): Gray {
  const width = Math.max(1, picture.width >> 1);
  const height = Math.max(1, picture.height >> 1);
  const data = new Uint8Array(width * height);
  const { data: rgb } = picture;
  const row = picture.width * 3;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const a = 2 * y * row + 6 * x;
      const b = picture.height > 1 ? a + row : a;
      const red = rgb[a]! + rgb[a + 3]! + rgb[b]! + rgb[b + 3]!;
      const green = rgb[a + 1]! + rgb[a + 4]! + rgb[b + 1]! + rgb[b + 4]!;
      const blue = rgb[a + 2]! + rgb[a + 5]! + rgb[b + 2]! + rgb[b + 5]!;
      data[y * width + x] = (77 * red + 150 * green + 29 * blue) >> 10;
    }
  }
  return { data, width, height };
}

/** For each block of `here`, where it is in `there`: the smallest sum of absolute differences. */
export function findMotion(here: Gray, there: Gray): Motion {
  const columns = Math.max(1, Math.floor(here.width / BLOCK));
  const rows = Math.max(1, Math.floor(here.height / BLOCK));
  const dx = new Float32Array(columns * rows);
  const dy = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const x = column * BLOCK;
      const y = row * BLOCK;
      let best = difference(here, there, x, y, 0, 0, Infinity) - STILL * BLOCK * BLOCK;
      let bestX = 0;
      let bestY = 0;
      if (best > 0) {
        for (let v = -REACH; v <= REACH; v++) {
          for (let u = -REACH; u <= REACH; u++) {
            const found = difference(here, there, x, y, u, v, best);
            if (found < best) {
              best = found;
              bestX = u;
              bestY = v;
            }
          }
        }
      }
      dx[row * columns + column] = bestX;
      dy[row * columns + column] = bestY;
    }
  }
  return { dx, dy, columns, rows };
}

function difference(here: Gray, there: Gray, x: number, y: number, u: number, v: number, least: number): number {
  const { width, height } = here;
  if (x + u < 0 || y + v < 0 || x + u + BLOCK > width || y + v + BLOCK > height) return Infinity;
  let sum = 0;
  for (let j = 0; j < BLOCK; j++) {
    let a = (y + j) * width + x;
    let b = a + v * width + u;
    for (let i = 0; i < BLOCK; i++) sum += Math.abs(here.data[a++]! - there.data[b++]!);
    if (sum >= least) return Infinity;
  }
  return sum;
}

/** What `values` has where the motion points to; values and motion may differ in size. */
export function moved(values: ArrayLike<number>, width: number, height: number, motion: Motion, grayWidth: number): Float32Array {
  const result = new Float32Array(width * height);
  const scale = width / grayWidth;
  const block = BLOCK * scale;
  const { columns, rows } = motion;
  // The motion of one row of pixels, at the blocks' centers across.
  const alongX = new Float32Array(columns);
  const alongY = new Float32Array(columns);
  for (let y = 0; y < height; y++) {
    const fy = clamp((y + 0.5) / block - 0.5, 0, rows - 1);
    const r0 = Math.floor(fy);
    const v = fy - r0;
    const r1 = Math.min(rows - 1, r0 + 1);
    let still = true;
    for (let c = 0; c < columns; c++) {
      const a = r0 * columns + c;
      const b = r1 * columns + c;
      alongX[c] = (motion.dx[a]! * (1 - v) + motion.dx[b]! * v) * scale;
      alongY[c] = (motion.dy[a]! * (1 - v) + motion.dy[b]! * v) * scale;
      if (alongX[c] || alongY[c]) still = false;
    }
    if (still) {
      for (let at = y * width, end = at + width; at < end; at++) result[at] = values[at]!;
      continue;
    }
    for (let x = 0; x < width; x++) {
      const fx = clamp((x + 0.5) / block - 0.5, 0, columns - 1);
      const c0 = Math.floor(fx);
      const u = fx - c0;
      const c1 = Math.min(columns - 1, c0 + 1);
      const sx = clamp(x + alongX[c0]! * (1 - u) + alongX[c1]! * u, 0, width - 1);
      const sy = clamp(y + alongY[c0]! * (1 - u) + alongY[c1]! * u, 0, height - 1);
      const x0 = sx | 0;
      const y0 = sy | 0;
      const x1 = x0 + 1 < width ? x0 + 1 : x0;
      const y1 = y0 + 1 < height ? y0 + 1 : y0;
      const p = sx - x0;
      const q = sy - y0;
      const above = values[y0 * width + x0]! * (1 - p) + values[y0 * width + x1]! * p;
      const below = values[y1 * width + x0]! * (1 - p) + values[y1 * width + x1]! * p;
      result[y * width + x] = above * (1 - q) + below * q;
    }
  }
  return result;
}
