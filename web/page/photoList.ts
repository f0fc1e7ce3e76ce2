/** The photos of the page: what is kept of each, small enough for hundreds of them. */
import type { Found, PhotoBackground, RenderOptions, Rendered, Segmenter, Stroke } from "../src/index";

export type State = "waiting" | "working" | "done" | "nobody" | "failed";

export interface Look {
  readonly background: PhotoBackground;
  readonly crop: boolean;
  readonly shadow: boolean;
}

/** Longer side of a preview, pixels. */
const PREVIEW = 1400;

export class Photo {
  state: State = "waiting";
  error = "";
  keep: number[] = [];
  strokes: Stroke[] = [];
  /** Whether what it shows now was saved or copied. */
  isSaved = false;
  private found: Omit<Found, "alpha"> | undefined;
  private packed: { data: Blob; width: number; height: number } | undefined;

  constructor(
    readonly id: string,
    readonly file: File,
  ) {}

  get people(): Found["people"] {
    return this.found?.people ?? [];
  }

  /** Width and height, as soon as they are known. */
  get size(): [number, number] | undefined {
    return this.found && [this.found.width, this.found.height];
  }

  /** Whether its people were looked for; then it can be drawn. */
  get isFound(): boolean {
    return !!this.packed;
  }

  /** Whether there is anybody in it: found, or marked by hand. */
  get isSavable(): boolean {
    return this.state === "done" || (this.state === "nobody" && this.strokes.some((stroke) => stroke.mode === "restore"));
  }

  /** Finds the people. */
  async look(segmenter: Segmenter): Promise<void> {
    const { alpha, ...found } = await segmenter.look(this.file, this.id);
    this.found = found;
    // Three megabytes of alpha are forty kilobytes, packed.
    const packed = new Blob([alpha.data as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    this.packed = { data: await new Response(packed).blob(), width: alpha.width, height: alpha.height };
  }

  async foundAlpha(): Promise<Found> {
    if (!this.packed || !this.found) throw new Error("The photo hasn't been looked at.");
    const { data, width, height } = this.packed;
    const stream = data.stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return { ...this.found, alpha: { data: new Uint8Array(await new Response(stream).arrayBuffer()), width, height } };
  }

  /** The finished photo: an ImageBitmap for the screen, or a file of a type at full size. */
  async render(segmenter: Segmenter, look: Look, type?: string): Promise<Rendered> {
    const options: RenderOptions = {
      ...look, keep: this.keep, strokes: this.strokes, ...(type ? { type, quality: 0.92 } : { maxSide: PREVIEW }), key: this.id,
    };
    return segmenter.render(this.file, await this.foundAlpha(), options);
  }

  /** `beach.jpg` becomes `beach.standout.png`. */
  fileName(type: string): string {
    return `${this.file.name.replace(/\.[^.]+$/, "")}.standout.${type.replace("image/", "").replace("jpeg", "jpg")}`;
  }
}
