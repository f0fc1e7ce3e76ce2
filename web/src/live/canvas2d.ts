/** Compositing without WebGL2: slower, and alpha is brought up by the browser's own smoothing. */
import type { Coefficients } from "../guidedFilter";
import { blurBackground, coverBox, defaultBlur } from "../photo/background";
import { CONTRAST, type Compositor, type LiveBehind, type LivePicture } from "./compositor";

/** Longer side at which alpha and blur are computed, pixels. */
const WORK_SIDE = 256;

export class CanvasCompositor implements Compositor {
  readonly kind = "2d";
  readonly canvas = new OffscreenCanvas(16, 16);
  readonly lost = false;
  private readonly small = new OffscreenCanvas(16, 16);
  private readonly veil = new OffscreenCanvas(16, 16);
  private readonly person = new OffscreenCanvas(16, 16);
  private behind: LiveBehind = { kind: "blur", strength: 1 };

  setBehind(behind: LiveBehind): void {
    this.behind = behind;
  }

  draw(frame: LivePicture, width: number, height: number, coefficients: Coefficients): void {
    const scale = Math.min(1, WORK_SIDE / Math.max(width, height));
    const w = Math.max(1, Math.round(width * scale));
    const h = Math.max(1, Math.round(height * scale));
    const small = sized(this.small, w, h, true);
    small.globalCompositeOperation = "copy";
    small.drawImage(frame, 0, 0, w, h);
    const seen = small.getImageData(0, 0, w, h);
    const alpha = alphaAt(seen, coefficients);

    const context = sized(this.canvas, width, height);
    context.globalCompositeOperation = "copy";
    this.drawBehind(context, seen, alpha, width, height);

    for (let i = 0; i < alpha.length; i++) seen.data[i * 4 + 3] = alpha[i]!;
    small.putImageData(seen, 0, 0);
    const person = sized(this.person, width, height);
    person.globalCompositeOperation = "copy";
    person.imageSmoothingQuality = "high";
    person.drawImage(this.small, 0, 0, width, height);
    person.globalCompositeOperation = "source-in";
    person.drawImage(frame, 0, 0, width, height);
    context.globalCompositeOperation = "source-over";
    context.drawImage(this.person, 0, 0);
  }

  close(): void {
    this.canvas.width = this.canvas.height = 1;
  }

  private drawBehind(
    context: OffscreenCanvasRenderingContext2D, seen: ImageData, alpha: Uint8Array, width: number, height: number,
  ): void {
    const { behind } = this;
    if (behind.kind === "image") {
      const part = coverBox(behind.image.width, behind.image.height, width, height);
      context.drawImage(behind.image, part.x, part.y, part.width, part.height, 0, 0, width, height);
    } else if (behind.kind === "blur") {
      const blurred = blurBackground(seen, alpha, defaultBlur(seen.width, seen.height) * behind.strength);
      const veil = sized(this.veil, blurred.width, blurred.height);
      const pixels = new ImageData(blurred.width, blurred.height);
      for (let i = 0, j = 0; i < blurred.data.length; i += 3, j += 4) {
        pixels.data[j] = blurred.data[i]!;
        pixels.data[j + 1] = blurred.data[i + 1]!;
        pixels.data[j + 2] = blurred.data[i + 2]!;
        pixels.data[j + 3] = 255;
      }
      veil.putImageData(pixels, 0, 0);
      context.imageSmoothingQuality = "high";
      context.drawImage(this.veil, 0, 0, width, height);
    } else {
      context.fillStyle = behind.kind === "color" ? `rgb(${behind.color.join(" ")})` : "#000";
      context.fillRect(0, 0, width, height);
    }
  }
}

function sized(canvas: OffscreenCanvas, width: number, height: number, read = false): OffscreenCanvasRenderingContext2D {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  return canvas.getContext("2d", { willReadFrequently: read })!;
}

/** Alpha of a small frame by the guided filter's lines, nearest line. */
function alphaAt(seen: ImageData, lines: Coefficients): Uint8Array {
  const alpha = new Uint8Array(seen.width * seen.height);
  for (let y = 0; y < seen.height; y++) {
    const row = Math.floor((y * lines.height) / seen.height) * lines.width;
    for (let x = 0; x < seen.width; x++) {
      const line = (row + Math.floor((x * lines.width) / seen.width)) * 4;
      const at = (y * seen.width + x) * 4;
      const value =
        (lines.data[line]! * seen.data[at]! + lines.data[line + 1]! * seen.data[at + 1]! + lines.data[line + 2]! * seen.data[at + 2]!) / 255 +
        lines.data[line + 3]!;
      alpha[y * seen.width + x] = Math.min(1, Math.max(0, (Math.min(1, Math.max(0, value)) - 0.5) * CONTRAST + 0.5)) * 255;
    }
  }
  return alpha;
}
