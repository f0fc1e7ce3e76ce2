/** `createSegmenter`: photos. */
import type { Alpha } from "./arrays";
import { type OpenOptions, networkOptions, photoThreads } from "./assets";
import { StandoutError } from "./errors";
import type { Found, PhotoSource, RenderOptions, Rendered } from "./photo/engine";
import type { Card } from "./predictor";
import { Remote } from "./rpc";
import { workerUrl } from "./workerUrl";

/** Anything with pixels: a file, `ImageData`, an `<img>`, `<canvas>`, `<video>`, an `ImageBitmap`, a `VideoFrame`. */
export type ImageSource =
  | Blob | ImageData | ImageBitmap | HTMLImageElement | HTMLCanvasElement | HTMLVideoElement | OffscreenCanvas | VideoFrame;

export interface CutOut {
  readonly blob: Blob;
  readonly width: number;
  readonly height: number;
  readonly nobody: boolean;
}

/** Finds people in photos; its network runs in a worker of its own. */
export class Segmenter {
  private constructor(
    private readonly remote: Remote,
    /** What the model says of itself. */
    readonly card: Card,
  ) {}

  /** See `createSegmenter`. */
  static async open(options: OpenOptions): Promise<Segmenter> {
    const worker = new Worker(options.workerUrl ?? workerUrl(), { type: "module", name: "standout-photo" });
    const remote = new Remote(worker, (event, data) => {
      if (event === "progress") options.onProgress?.(data as number);
    });
    try {
      const network = networkOptions(options, options.model ?? "photo", photoThreads());
      return new Segmenter(remote, await remote.call<Card>("open", { network, size: options.size, looks: options.looks ?? 1, live: false }));
    } catch (error) {
      remote.close();
      throw error;
    }
  }

  /** How much of each pixel is person, at the picture's size, in [0, 1]. */
  async alpha(frame: ImageSource): Promise<Alpha> {
    return this.remote.call<Alpha>("alpha", { source: await asSource(frame) });
  }

  /** The people without their background, or before another one, as a file. */
  async cutOut(image: ImageSource, options: RenderOptions = {}): Promise<CutOut> {
    const source = await asSource(image);
    const cut = await this.remote.call<Rendered & { nobody: boolean }>("cutOut", { source, options: { type: "image/png", ...options } });
    return { blob: cut.picture as Blob, width: cut.width, height: cut.height, nobody: cut.nobody };
  }

  /**
   * The first half of `cutOut`: who is where. What it returns can be kept, and rendered again and again.
   *
   * @param key As in `RenderOptions`.
   */
  async look(image: ImageSource, key?: string): Promise<Found> {
    return this.remote.call<Found>("look", { source: await asSource(image), key });
  }

  /** The second half of `cutOut`. */
  async render(image: ImageSource, found: Found, options: RenderOptions = {}): Promise<Rendered> {
    return this.remote.call<Rendered>("render", { source: await asSource(image), found, options });
  }

  /** The number of the person at a point, in shares of the picture (0 … 1); undefined beside everybody. */
  personAt(found: Found, x: number, y: number): Promise<number | undefined> {
    return this.remote.call("personAt", { found, x, y });
  }

  /** Lets go of the decoded photo that `render` holds for a `key`. */
  async forget(): Promise<void> {
    await this.remote.call("forget", undefined);
  }

  close(): void {
    this.remote.close();
  }
}

/**
 * Loads the network for photos.
 *
 * @example
 * const segmenter = await createSegmenter({ wasmPath: "/standout/" });
 * const { blob, nobody } = await segmenter.cutOut(file, { background: "blur" });
 * segmenter.close();
 */
export function createSegmenter(options: OpenOptions): Promise<Segmenter> {
  return Segmenter.open(options);
}

async function asSource(image: ImageSource): Promise<PhotoSource> {
  if (image instanceof Blob || image instanceof ImageData || image instanceof ImageBitmap) return image;
  return createImageBitmap(image).catch(() => {
    throw new StandoutError("input", "The picture isn't loaded yet, or comes from another site that forbids reading it.");
  });
}
