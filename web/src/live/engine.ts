/** One camera's frames to finished pictures: the network, smoothing in time, compositing. Serves one worker. */
import type { Frame } from "../arrays";
import { constants } from "../constants";
import { type Coefficients, guidedCoefficients } from "../guidedFilter";
import type { Predictor } from "../predictor";
import { CpuCompositor } from "./cpu";
import { type Compositor, type LiveBehind, type LivePicture, pictureSize } from "./compositor";
import { Smoothing } from "./smoothing";
import { WebGlCompositor } from "./webgl";

/** Nothing is hidden: alpha is 1 everywhere. */
const WHOLE: Coefficients = { data: new Float32Array([0, 0, 0, 1]), width: 1, height: 1 };
/** A context that hasn't come back after so long is given up. */
const GIVE_UP_MS = 3000;

export interface EngineOptions {
  /** The network sees every n-th frame; in between, alpha follows the motion. Absent: what the model's JSON says. */
  readonly every: number | undefined;
  readonly smoothing: boolean;
  /** `cpu` where WebGL2 is missing or computed by the processor anyway. */
  readonly compositor: "auto" | "cpu" | "webgl2";
}

/** Milliseconds that the network's last pass and the last composition took. */
export interface Timing {
  network: number;
  compose: number;
}

export class LiveEngine {
  readonly timing: Timing = { network: 0, compose: 0 };
  compositor: Compositor;
  private readonly smoothing = new Smoothing();
  private behind: LiveBehind = { kind: "blur", strength: 1 };
  private count = 0;
  private lostAt: number | undefined;

  constructor(
    private readonly predictor: Predictor,
    private readonly options: EngineOptions,
  ) {
    this.compositor = makeCompositor(options.compositor);
  }

  setBehind(behind: LiveBehind): void {
    this.behind = behind;
    this.compositor.setBehind(behind);
  }

  /** Forgets the past, as after a pause. */
  reset(): void {
    this.smoothing.reset();
    this.count = 0;
  }

  /**
   * Makes the finished picture of a frame on the compositor's canvas.
   *
   * @returns Whether there is one; if not, the frame must not be shown.
   */
  async process(frame: LivePicture): Promise<boolean> {
    const { width, height } = pictureSize(frame);
    if (!width || !height || this.isLost()) return false;
    await this.compositor.take(frame, width, height);
    let coefficients = WHOLE;
    if (this.behind.kind !== "none") {
      coefficients = await this.coefficients(width, height);
    }
    const started = performance.now();
    this.compositor.draw(coefficients);
    this.timing.compose = performance.now() - started;
    return !this.compositor.lost;
  }

  close(): void {
    this.compositor.close();
  }

  private async coefficients(width: number, height: number): Promise<Coefficients> {
    // The size where the network sees the frame, without the letterbox.
    const [rows, columns] = this.predictor.networkSize(height, width);
    const scale = Math.min(rows / height, columns / width, 1);
    const picture = this.compositor.shrunken(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
    const skipped = this.count++ % (this.options.every ?? constants().live.every) !== 0;
    const carried = skipped ? this.smoothing.carry(rgbOf(picture)) : undefined;
    if (carried) return guidedCoefficients(carried, rgbOf(picture));
    const started = performance.now();
    const { alpha, guide } = await this.predictor.coarse(picture);
    this.timing.network = performance.now() - started;
    return guidedCoefficients(this.options.smoothing ? this.smoothing.next(guide, alpha) : alpha, guide);
  }

  private isLost(): boolean {
    if (!this.compositor.lost) {
      this.lostAt = undefined;
      return false;
    }
    this.lostAt ??= performance.now();
    if (performance.now() - this.lostAt > GIVE_UP_MS) {
      this.compositor = makeCompositor(this.options.compositor);
      this.compositor.setBehind(this.behind);
      this.lostAt = undefined;
    }
    return this.compositor.lost;
  }
}

function makeCompositor(wanted: EngineOptions["compositor"]): Compositor {
  if (wanted === "cpu") return new CpuCompositor();
  try {
    const made = new WebGlCompositor();
    if (wanted === "webgl2" || !made.isSoftware) return made;
    made.close();
  } catch {
    // No WebGL2: the processor does it.
  }
  return new CpuCompositor();
}

function rgbOf(frame: Frame): { data: Uint8Array; width: number; height: number } {
  const data = new Uint8Array(frame.width * frame.height * 3);
  for (let i = 0, j = 0; i < data.length; i += 3, j += 4) {
    data[i] = frame.data[j]!;
    data[i + 1] = frame.data[j + 1]!;
    data[i + 2] = frame.data[j + 2]!;
  }
  return { data, width: frame.width, height: frame.height };
}
