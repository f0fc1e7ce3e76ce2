/** Photos in a worker: decoded, looked at, finished and encoded there, so that the page stays alive. */
import type { Alpha, Frame, Rgb } from "../arrays";
import { isNobody } from "../cleanAlpha";
import { parseColor } from "../color";
import { constants } from "../constants";
import { StandoutError } from "../errors";
import type { Predictor } from "../predictor";
import { coverBox } from "./background";
import { type Person, findPeople, personAt } from "./people";
import { type Behind, type Look, renderPhoto } from "./render";
import { resizeToRgb } from "../resize";

/** A photo of more pixels isn't held for its next use: it is decoded again. */
const HELD_PIXELS = 24_000_000;
/** Nor is a preview whose longer side is smaller than this. */
const HELD_SIDE = 512;

/** What can be cut out of: a file, or a decoded picture. */
export type PhotoSource = Blob | ImageBitmap | ImageData;

/** What comes behind the person. */
export type PhotoBackground =
  | "transparent"
  | "blur"
  | { readonly color: string }
  | { readonly blur: number }
  | { readonly image: Blob | ImageBitmap };

/** What a look at a photo found: small enough to be kept for many photos. */
export interface Found {
  /** The photo's size, upright. */
  readonly width: number;
  readonly height: number;
  readonly nobody: boolean;
  readonly people: readonly Person[];
  /** The people's alpha at the network's resolution, in bytes. */
  readonly alpha: { readonly data: Uint8Array; readonly width: number; readonly height: number };
}

export interface RenderOptions extends Partial<Omit<Look, "behind">> {
  readonly background?: PhotoBackground;
  /** `image/png`, `image/jpeg` or `image/webp`; absent gives an ImageBitmap. */
  readonly type?: string;
  /** 0 … 1, of JPEG and WebP. */
  readonly quality?: number;
  /** Longer side at most, pixels: for previews. */
  readonly maxSide?: number;
  /** The photo's name where it is looked at and finished again and again: it is decoded once, and the last one is held (`forget`). */
  readonly key?: string;
}

export interface Rendered {
  readonly picture: Blob | ImageBitmap;
  readonly width: number;
  readonly height: number;
  /** Where the picture lies in the photo, in shares of it: a cropped one shows a part. */
  readonly part: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };
}

export class PhotoEngine {
  /** The photo that was decoded last under a key. */
  private held: { readonly key: string; readonly bitmap: ImageBitmap } | undefined;
  /** The last preview, so that one photo is edited swiftly while others are looked at. */
  private preview: { readonly key: string; readonly frame: Frame } | undefined;

  constructor(private readonly predictor: Predictor) {}

  async look(source: PhotoSource, key?: string): Promise<Found> {
    return (await this.find(await this.frameFor(source, key ? { key } : {}))).found;
  }

  async render(source: PhotoSource, found: Found, options: RenderOptions): Promise<Rendered> {
    checkType(options);
    const frame = await this.frameFor(source, options);
    const { width, height } = found.alpha;
    return this.finish(frame, found, resizeToRgb(frame, width, height), options);
  }

  /** Both in one: decoded and made small once. */
  async cutOut(source: PhotoSource, options: RenderOptions): Promise<Rendered & { readonly nobody: boolean }> {
    checkType(options);
    const frame = await this.frameFor(source, options.key ? { key: options.key } : {});
    const { found, guide } = await this.find(frame);
    const { nobody } = found;
    if (options.maxSide !== undefined) return { ...(await this.render(source, found, options)), nobody };
    return { ...(await this.finish(frame, found, guide, options)), nobody };
  }

  private async find(frame: Frame): Promise<{ found: Found; guide: Rgb }> {
    const { alpha, guide } = await this.predictor.look(frame);
    const { threshold } = this.predictor.card;
    const nobody = isNobody({ alpha, guide }, frame, threshold);
    const data = new Uint8Array(alpha.data.length);
    if (!nobody) for (let i = 0; i < data.length; i++) data[i] = alpha.data[i]! * 255 + 0.5;
    const people = nobody ? [] : findPeople(alpha, threshold).people;
    const { width, height } = frame;
    return { found: { width, height, nobody, people, alpha: { data, width: alpha.width, height: alpha.height } }, guide };
  }

  /** @param frame Is written on. */
  private async finish(frame: Frame, found: Found, guide: Rgb, options: RenderOptions): Promise<Rendered> {
    const { background = "transparent", type } = options;
    const alpha = floats(found.alpha);
    const look: Look = {
      behind: await behindOf(background, frame, Math.max(found.width, found.height)),
      crop: options.crop ?? false, shadow: options.shadow ?? false, keep: options.keep ?? [], strokes: options.strokes ?? [],
    };
    const { frame: finished, box } = renderPhoto({ alpha, guide }, frame, look, this.predictor.card.threshold);
    const part = {
      left: box.left / frame.width, top: box.top / frame.height,
      right: (box.left + box.width) / frame.width, bottom: (box.top + box.height) / frame.height,
    };
    return { ...(await encode(finished, type, options.quality)), part };
  }

  /** The number of the person at a point, in shares of the picture. */
  personAt(found: Found, x: number, y: number): number | undefined {
    return personAt(findPeople(floats(found.alpha), this.predictor.card.threshold), x, y);
  }

  forget(): void {
    this.preview = undefined;
    this.letGo();
  }

  private letGo(): void {
    this.held?.bitmap.close();
    this.held = undefined;
  }

  /** A frame that may be written on: pixels that came by a message are a copy of the caller's already. */
  private async frameFor(source: PhotoSource, { key, maxSide }: Pick<RenderOptions, "key" | "maxSide">): Promise<Frame> {
    if (!key) return decode(source, maxSide);
    const name = `${key}@${maxSide}`;
    if (this.preview?.key === name) return copyOf(this.preview.frame);
    const frame = await this.decodeOnce(source, key, maxSide);
    if (maxSide === undefined || maxSide < HELD_SIDE) return frame;
    this.preview = { key: name, frame };
    return copyOf(frame);
  }

  private async decodeOnce(source: PhotoSource, key: string, maxSide: number | undefined): Promise<Frame> {
    if (!(source instanceof Blob)) return decode(source, maxSide);
    if (this.held?.key !== key) {
      this.letGo();
      const bitmap = await open(source);
      this.held = { key, bitmap };
    }
    const { bitmap } = this.held;
    try {
      return pixelsOf(bitmap, maxSide);
    } finally {
      if (bitmap.width * bitmap.height > HELD_PIXELS) this.letGo();
    }
  }
}

function checkType({ background = "transparent", type }: RenderOptions): void {
  if (type === "image/jpeg" && background === "transparent") {
    throw new StandoutError("input", "A JPEG can't hold transparency; choose a background, or PNG or WebP.");
  }
}

/** Alpha of bytes in [0, 1]. */
function floats({ data, width, height }: Found["alpha"]): Alpha {
  const values = new Float32Array(data.length);
  for (let i = 0; i < values.length; i++) values[i] = data[i]! / 255;
  return { data: values, width, height };
}

function copyOf(frame: Frame): Frame {
  return { data: new Uint8ClampedArray(frame.data), width: frame.width, height: frame.height };
}

/** Any picture that the browser knows, upright and in sRGB. */
export async function decode(source: PhotoSource, maxSide = Infinity): Promise<Frame> {
  if (source instanceof ImageData) return source;
  if (source instanceof ImageBitmap) return pixelsOf(source, maxSide);
  const bitmap = await open(source);
  try {
    return pixelsOf(bitmap, maxSide);
  } finally {
    bitmap.close();
  }
}

async function open(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file);
  } catch {
    throw new StandoutError("input", "This file is no picture that this browser can read; use JPEG, PNG, WebP, AVIF or GIF.");
  }
}

function pixelsOf(bitmap: ImageBitmap, maxSide = Infinity): Frame {
  const { max_pixels } = constants().limits;
  if (bitmap.width * bitmap.height > max_pixels) {
    const size = `${bitmap.width} × ${bitmap.height}`;
    throw new StandoutError("input", `A photo may have ${max_pixels / 1e6} megapixels at most; this one is ${size}.`);
  }
  const scale = Math.min(1, maxSide / Math.max(bitmap.width, bitmap.height));
  return draw(bitmap, Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
}

function draw(bitmap: ImageBitmap, width: number, height: number, cover = false): Frame {
  const context = context2d(width, height);
  context.imageSmoothingQuality = "high";
  if (cover) {
    const part = coverBox(bitmap.width, bitmap.height, width, height);
    context.drawImage(bitmap, part.x, part.y, part.width, part.height, 0, 0, width, height);
  } else {
    context.drawImage(bitmap, 0, 0, width, height);
  }
  return context.getImageData(0, 0, width, height);
}

function context2d(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new StandoutError("device", `This browser has no memory for a picture of ${width} × ${height} pixels.`);
  return context;
}

async function behindOf(background: PhotoBackground, frame: Frame, fullSide: number): Promise<Behind> {
  if (background === "transparent") return { kind: "transparent" };
  if (background === "blur") return { kind: "blur" };
  if ("color" in background) return { kind: "color", color: parseColor(background.color) };
  // A radius counts in pixels of the photo, also where a preview is drawn.
  if ("blur" in background) {
    return { kind: "blur", radius: Math.max(0.5, (background.blur * Math.max(frame.width, frame.height)) / fullSide) };
  }
  const { image } = background;
  const bitmap = image instanceof ImageBitmap ? image : await createImageBitmap(image).catch(() => undefined);
  if (!bitmap) throw new StandoutError("input", "The background is no picture that this browser can read.");
  const picture = draw(bitmap, frame.width, frame.height, true);
  if (bitmap !== image) bitmap.close();
  return { kind: "picture", picture };
}

async function encode(frame: Frame, type: string | undefined, quality: number | undefined): Promise<Omit<Rendered, "part">> {
  const { width, height } = frame;
  const context = context2d(width, height);
  const pixels = frame.data instanceof Uint8ClampedArray ? frame.data : new Uint8ClampedArray(frame.data);
  context.putImageData(new ImageData(pixels as Uint8ClampedArray<ArrayBuffer>, width, height), 0, 0);
  if (!type) return { picture: context.canvas.transferToImageBitmap(), width, height };
  const blob = await context.canvas.convertToBlob({ type, ...(quality === undefined ? {} : { quality }) });
  if (blob.type !== type) throw new StandoutError("input", `This browser can't write ${type}; choose PNG.`);
  return { picture: blob, width, height };
}

