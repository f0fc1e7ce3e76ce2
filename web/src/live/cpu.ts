/**
 * Compositing on the processor, for machines whose WebGL is computed there anyway (and far more slowly) or that have none: bytes in,
 * bytes out, no canvas in between where frames come as `VideoFrame`.
 */
import { type Frame, clamp } from "../arrays";
import { contrast, settle } from "../cleanAlpha";
import { constants } from "../constants";
import type { Coefficients } from "../guidedFilter";
import { type SmallPicture, blurAround, coverBox } from "../photo/background";
import { BACKGROUND, PERSON, Spans } from "./spans";
import { type Compositor, type LiveBehind, type LivePicture, LEAST_SHARE, blurRadius } from "./compositor";
import { resizeChannels } from "../resize";

/** RGBA, 0 … 255. */
interface SmallBytes {
  data: Uint8Array | Uint8ClampedArray | Float32Array;
  width: number;
  height: number;
}

/** Positions and shares of bilinear enlarging along a row. */
interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Float32Array;
}

export class CpuCompositor implements Compositor {
  readonly kind = "cpu";
  readonly lost = false;
  private behind: LiveBehind = { kind: "blur", strength: 1 };
  private frame: Frame & { data: Uint8ClampedArray<ArrayBuffer> } = { data: new Uint8ClampedArray(4), width: 1, height: 1 };
  private output = new Uint8ClampedArray(4);
  private small: Frame = this.frame;
  private reader: OffscreenCanvas | undefined;
  private backdrop: { readonly of: ImageBitmap; readonly width: number; readonly data: Uint8ClampedArray } | undefined;
  private readonly taps = new Map<string, Taps>();

  setBehind(behind: LiveBehind): void {
    this.behind = behind;
  }

  async take(picture: LivePicture, width: number, height: number): Promise<void> {
    if (this.frame.width !== width || this.frame.height !== height) {
      this.frame = { data: new Uint8ClampedArray(width * height * 4), width, height };
      this.output = new Uint8ClampedArray(width * height * 4);
      this.taps.clear();
      this.backdrop = undefined;
    }
    if (picture instanceof VideoFrame && (await this.copied(picture, width, height))) return;
    this.frame.data.set(this.drawn(picture, width, height));
  }

  shrunken(width: number, height: number): Frame {
    const { frame } = this;
    const values = resizeChannels(frame, 4, width, height, 3);
    const data = new Uint8Array(width * height * 4);
    for (let i = 0, j = 0; i < values.length; i += 3, j += 4) {
      data[j] = values[i]! + 0.5;
      data[j + 1] = values[i + 1]! + 0.5;
      data[j + 2] = values[i + 2]! + 0.5;
      data[j + 3] = 255;
    }
    this.small = { data, width, height };
    return this.small;
  }

  draw(lines: Coefficients): void {
    const { behind, frame, output } = this;
    if (behind.kind === "none") {
      output.set(frame.data);
      return;
    }
    // Needed for colors in the edge, too, not only for the blur.
    const own = this.ownBackground(lines);
    const { width, height, data } = frame;
    const lineTaps = this.tapsFor(lines.width, width);
    const ownTaps = this.tapsFor(own.width, width);
    const lineRow = new Float32Array(lines.width * 4);
    const ownRow = new Float32Array(own.width * 3);
    const spans = new Spans(lines, width, height);
    /** What comes behind one row: pixels `from` to `to` of it, written over whatever is there. */
    const behindRow = this.behindRow(ownRow, ownTaps);
    const blurred = behind.kind === "blur";
    const steeper = contrast();
    for (let y = 0; y < height; y++) {
      const base = y * width;
      spans.row(y);
      mixRows(own.data, own.width * 3, own.height, y, height, ownRow);
      let mixed = false;
      for (let span = 0; span < spans.count; span++) {
        const from = spans.start[span]!;
        const to = spans.start[span + 1]!;
        const kind = spans.kind[span]!;
        if (kind === PERSON) {
          output.set(data.subarray((base + from) * 4, (base + to) * 4), (base + from) * 4);
          continue;
        }
        behindRow(base, from, to);
        if (kind === BACKGROUND) continue;
        if (!mixed) mixRows(lines.data, lines.width * 4, lines.height, y, height, lineRow);
        mixed = true;
        for (let x = from, at = (base + from) * 4; x < to; x++, at += 4) {
          const r = data[at]!;
          const g = data[at + 1]!;
          const b = data[at + 2]!;
          const alpha = alphaAt(lineRow, lineTaps, x, r, g, b, steeper);
          if (alpha <= 0) continue;
          let fr = r;
          let fg = g;
          let fb = b;
          if (!blurred && alpha < 1) {
            // The person's own color: what is left when the old background's share is taken out.
            const i = ownTaps.first[x]! * 3;
            const j = ownTaps.second[x]! * 3;
            const u = ownTaps.share[x]!;
            const share = (1 - alpha) / (alpha > LEAST_SHARE ? alpha : LEAST_SHARE);
            fr = clamp(r + (r - ownRow[i]! - (ownRow[j]! - ownRow[i]!) * u) * share, 0, 255);
            fg = clamp(g + (g - ownRow[i + 1]! - (ownRow[j + 1]! - ownRow[i + 1]!) * u) * share, 0, 255);
            fb = clamp(b + (b - ownRow[i + 2]! - (ownRow[j + 2]! - ownRow[i + 2]!) * u) * share, 0, 255);
          }
          const br = output[at]!;
          const bg = output[at + 1]!;
          const bb = output[at + 2]!;
          output[at] = br + (fr - br) * alpha;
          output[at + 1] = bg + (fg - bg) * alpha;
          output[at + 2] = bb + (fb - bb) * alpha;
        }
      }
    }
  }

  videoFrame(timestamp: number): VideoFrame {
    const { width, height } = this.frame;
    return new VideoFrame(this.output, { format: "RGBX", codedWidth: width, codedHeight: height, timestamp });
  }

  bitmap(): Promise<ImageBitmap> {
    return createImageBitmap(new ImageData(this.output, this.frame.width, this.frame.height));
  }

  close(): void {
    this.taps.clear();
    this.backdrop = undefined;
  }

  /** Straight from the decoder, where the browser converts; false where it doesn't. */
  private async copied(picture: VideoFrame, width: number, height: number): Promise<boolean> {
    const { visibleRect } = picture;
    if (visibleRect?.width !== width || visibleRect.height !== height) return false;
    try {
      await picture.copyTo(this.frame.data, { format: "RGBA" } as VideoFrameCopyToOptions);
      return true;
    } catch {
      return false;
    }
  }

  private drawn(picture: CanvasImageSource, width: number, height: number, from?: { x: number; y: number; width: number; height: number }): Uint8ClampedArray {
    this.reader ??= new OffscreenCanvas(width, height);
    if (this.reader.width !== width || this.reader.height !== height) {
      this.reader.width = width;
      this.reader.height = height;
    }
    const context = this.reader.getContext("2d", { willReadFrequently: true })!;
    if (from) context.drawImage(picture, from.x, from.y, from.width, from.height, 0, 0, width, height);
    else context.drawImage(picture, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  }

  private fitted(image: ImageBitmap): Uint8ClampedArray {
    const { width, height } = this.frame;
    if (this.backdrop?.of !== image || this.backdrop.width !== width) {
      const data = this.drawn(image, width, height, coverBox(image.width, image.height, width, height));
      // What is transparent in it is black, as nothing may shine through.
      for (let i = 3; i < data.length; i += 4) data[i] = 255;
      this.backdrop = { of: image, width, data };
    }
    return this.backdrop.data;
  }

  /** Writes the background's pixels `from` to `to` of a row that begins at pixel `base`. */
  private behindRow(ownRow: Float32Array, taps: Taps): (base: number, from: number, to: number) => void {
    const { behind, output } = this;
    if (behind.kind === "color") {
      const words = new Uint32Array(output.buffer);
      // As the bytes lie in memory: red first.
      const word = new Uint32Array(new Uint8Array([...behind.color, 255]).buffer)[0]!;
      return (base, from, to) => words.fill(word, base + from, base + to);
    }
    if (behind.kind === "image") {
      const picture = this.fitted(behind.image);
      return (base, from, to) => output.set(picture.subarray((base + from) * 4, (base + to) * 4), (base + from) * 4);
    }
    const { first, second, share } = taps;
    return (base, from, to) => {
      for (let x = from, at = (base + from) * 4; x < to; x++, at += 4) {
        const i = first[x]! * 3;
        const j = second[x]! * 3;
        const u = share[x]!;
        output[at] = ownRow[i]! + (ownRow[j]! - ownRow[i]!) * u;
        output[at + 1] = ownRow[i + 1]! + (ownRow[j + 1]! - ownRow[i + 1]!) * u;
        output[at + 2] = ownRow[i + 2]! + (ownRow[j + 2]! - ownRow[i + 2]!) * u;
        output[at + 3] = 255;
      }
    };
  }

  /** The blur of the background's own light, at a size where its radius is a few pixels. */
  private ownBackground(lines: Coefficients): SmallPicture {
    const { frame } = this;
    let { data, width, height }: SmallBytes = this.small;
    let radius = (blurRadius(frame.width, frame.height, this.behind) * width) / frame.width;
    while (radius > constants().live.blur_radius && Math.min(width, height) > 8) {
      const half = { width: width >> 1, height: height >> 1 };
      data = resizeChannels({ data, width, height }, 4, half.width, half.height);
      radius *= half.width / width;
      ({ width, height } = half);
    }
    const colors = new Float32Array(width * height * 3);
    const share = new Float32Array(width * height);
    const taps = this.tapsFor(lines.width, width);
    const row = new Float32Array(lines.width * 4);
    const steeper = contrast();
    for (let y = 0, at = 0; y < height; y++) {
      mixRows(lines.data, lines.width * 4, lines.height, y, height, row);
      for (let x = 0; x < width; x++, at++) {
        const r = (colors[at * 3] = data[at * 4]!);
        const g = (colors[at * 3 + 1] = data[at * 4 + 1]!);
        const b = (colors[at * 3 + 2] = data[at * 4 + 2]!);
        share[at] = alphaAt(row, taps, x, r, g, b, steeper) * 255;
      }
    }
    return { data: blurAround(colors, share, width, height, Math.max(radius / 2, 0.3)), width, height };
  }

  private tapsFor(from: number, to: number): Taps {
    const key = `${from}>${to}`;
    let taps = this.taps.get(key);
    if (!taps) {
      taps = { first: new Int32Array(to), second: new Int32Array(to), share: new Float32Array(to) };
      for (let x = 0; x < to; x++) {
        const at = ((x + 0.5) * from) / to - 0.5;
        const base = Math.floor(at);
        taps.share[x] = at - base;
        taps.first[x] = clamp(base, 0, from - 1);
        taps.second[x] = clamp(base + 1, 0, from - 1);
      }
      this.taps.set(key, taps);
    }
    return taps;
  }
}

/** One row of a small picture enlarged downward. */
function mixRows(data: Float32Array, length: number, rows: number, y: number, height: number, out: Float32Array): void {
  const at = clamp(((y + 0.5) * rows) / height - 0.5, 0, rows - 1);
  const upper = Math.floor(at);
  const share = at - upper;
  const a = upper * length;
  const b = Math.min(rows - 1, upper + 1) * length;
  for (let i = 0; i < length; i++) out[i] = data[a + i]! + (data[b + i]! - data[a + i]!) * share;
}

function alphaAt(row: Float32Array, taps: Taps, x: number, r: number, g: number, b: number, steeper: number): number {
  const i = taps.first[x]! * 4;
  const j = taps.second[x]! * 4;
  const u = taps.share[x]!;
  const first = (row[i]! * r + row[i + 1]! * g + row[i + 2]! * b) / 255 + row[i + 3]!;
  const second = (row[j]! * r + row[j + 1]! * g + row[j + 2]! * b) / 255 + row[j + 3]!;
  return settle(first + (second - first) * u, steeper);
}
