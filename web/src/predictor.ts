/** From a frame to its alpha: what is done by Python's `standout.inference.model.Model`. */
import { type Alpha, type Box, type Frame, type Rgb, checkFrame, cutAlpha, cutFrame, letterboxBox, roundHalfEven } from "./arrays";
import { dropGuesses } from "./cleanAlpha";
import { type Constants, constants } from "./constants";
import { StandoutError } from "./errors";
import { enlargeAlpha } from "./guidedFilter";
import { agree, peopleBox, putCloser, scaledBox } from "./looks";
import { resizeAlpha, resizeToRgb } from "./resize";

/** What a model says of itself; the part of Python's `ModelCard` that is needed here. */
export interface Card {
  readonly name: string;
  readonly input_size: readonly [number, number];
  readonly output_stride: number;
  readonly multiple: number;
  readonly flip_scale: number;
  readonly zoom_gain: number;
  readonly threshold: number;
  readonly certainty: number;
  readonly constants: Constants;
}

/** A loaded network: uint8 RGB in, alpha out, at one size. */
export interface Network {
  readonly card: Card;
  run(picture: Rgb): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Alpha at the resolution where it was computed, and the frame at that size, which guides its enlarging. */
export interface Coarse {
  readonly alpha: Alpha;
  readonly guide: Rgb;
}

export class Predictor {
  /**
   * @param size Longer side of the picture at the network, pixels; the model's own if absent.
   * @param looks Passes through the network for a photo, at most. 1: no more than one. 2: a second at small people from nearer by,
   *   or in the mirror where nobody is small. 3: the nearer one in the mirror, too.
   */
  constructor(
    private readonly network: Network,
    private readonly size: number = Math.max(...network.card.input_size),
    private readonly looks: 1 | 2 | 3 = 1,
  ) {}

  get card(): Card {
    return this.network.card;
  }

  /** Alpha of a photo at full size. */
  async alpha(frame: Frame): Promise<Alpha> {
    return enlarged(await this.look(frame), frame);
  }

  /** Everything but the enlarging: all looks that the model's card asks for, guesses dropped. */
  async look(frame: Frame): Promise<Coarse> {
    checkFrame(frame);
    const { card } = this;
    const first = await this.once(frame);
    let { alpha, guide } = first;
    const box = card.zoom_gain && this.looks > 1 ? peopleBox(alpha, card.threshold) : null;
    if (box && Math.max(alpha.width, alpha.height) >= card.zoom_gain * Math.max(box.width, box.height)) {
      const part = cutFrame(frame, scaledBox(box, frame.width / alpha.width, frame.height / alpha.height));
      const near = (await this.once(part)).alpha;
      alpha = putCloser(alpha, box, this.looks > 2 ? await this.withMirror(part, near) : near, frame);
      guide = resizeToRgb(frame, alpha.width, alpha.height);
    } else if (this.looks > 1) {
      alpha = await this.withMirror(frame, alpha);
    }
    return { alpha: this.sure(alpha), guide };
  }

  /** One look, whatever the card says: for moving pictures, where the next frame is the second look. */
  async coarse(frame: Frame): Promise<Coarse> {
    const { alpha, guide } = await this.once(frame);
    return { alpha: this.sure(alpha), guide };
  }

  async close(): Promise<void> {
    await this.network.close();
  }

  /** The (height, width) at which a frame of this size goes through the network. */
  networkSize(height: number, width: number, zoom = 1): [number, number] {
    const stride = this.card.multiple || this.card.output_stride;
    const scale = roundHalfEven(this.size * zoom) / Math.max(height, width);
    const up = (value: number): number => Math.max(stride, Math.ceil(roundHalfEven(value) / stride) * stride);
    return [up(height * scale), up(width * scale)];
  }

  private sure(alpha: Alpha): Alpha {
    return dropGuesses(alpha, this.card.certainty, this.card.threshold);
  }

  private async withMirror(frame: Frame, alpha: Alpha): Promise<Alpha> {
    if (!this.card.flip_scale) return alpha;
    const mirrored = (await this.once(frame, this.card.flip_scale, true)).alpha;
    return agree(alpha, resizeAlpha(mirrored, alpha.width, alpha.height));
  }

  private async once(frame: Frame, zoom = 1, mirrored = false): Promise<Coarse> {
    const [height, width] = this.networkSize(frame.height, frame.width, zoom);
    const box = letterboxBox(frame.width, frame.height, width, height);
    const guide = resizeToRgb(frame, box.width, box.height);
    const canvas = putOnGray(guide, box, width, height, mirrored);
    const data = await this.network.run(canvas);
    if (data.length !== width * height) {
      throw new StandoutError("model", `The model must return alpha of its input's size ${width} × ${height}; received ${data.length} values.`);
    }
    const alpha: Alpha = { data, width, height };
    if (mirrored) mirror(alpha);
    return { alpha: cutAlpha(alpha, box), guide };
  }
}

/** Alpha at the frame's size. */
export function enlarged({ alpha, guide }: Coarse, frame: Frame): Alpha {
  const data = new Float32Array(frame.width * frame.height);
  enlargeAlpha(alpha, frame, guide, (left, top, width, height, values) => {
    for (let y = 0; y < height; y++) {
      const at = (top + y) * frame.width + left;
      if (typeof values === "number") data.fill(values, at, at + width);
      else data.set(values.subarray(y * width, (y + 1) * width), at);
    }
  });
  return { data, width: frame.width, height: frame.height };
}

function putOnGray(picture: Rgb, box: Box, width: number, height: number, mirrored: boolean): Rgb {
  if (!mirrored && box.width === width && box.height === height) return picture;
  const data = new Uint8Array(width * height * 3).fill(constants().letterbox.gray);
  for (let y = 0; y < box.height; y++) {
    const from = y * box.width * 3;
    const row = (box.top + y) * width;
    if (!mirrored) {
      data.set(picture.data.subarray(from, from + box.width * 3), (row + box.left) * 3);
      continue;
    }
    for (let x = 0; x < box.width; x++) {
      const to = (row + width - 1 - box.left - x) * 3;
      data[to] = picture.data[from + x * 3]!;
      data[to + 1] = picture.data[from + x * 3 + 1]!;
      data[to + 2] = picture.data[from + x * 3 + 2]!;
    }
  }
  return { data, width, height };
}

function mirror(alpha: Alpha): void {
  for (let y = 0; y < alpha.height; y++) alpha.data.subarray(y * alpha.width, (y + 1) * alpha.width).reverse();
}
