/** What page and worker say to each other while a camera runs. */
import type { LiveBehind } from "./compositor";
import type { EngineOptions } from "./engine";

export type ToWorker =
  | { readonly live: "start"; readonly options: EngineOptions; readonly behind: LiveBehind; readonly source: Source }
  | { readonly live: "frame"; readonly bitmap: ImageBitmap; readonly taken: number }
  | { readonly live: "behind"; readonly behind: LiveBehind }
  | { readonly live: "pause"; readonly paused: boolean }
  | { readonly live: "reset" }
  | { readonly live: "tick"; readonly everyMs: number }
  | { readonly live: "loseContext"; readonly restoreAfterMs: number }
  | { readonly live: "stop" };

/** How frames reach the worker and leave it. */
export type Source =
  | { readonly kind: "streams"; readonly readable: ReadableStream<VideoFrame>; readonly writable: WritableStream<VideoFrame> }
  /** Safari: processor and generator are the worker's own. */
  | { readonly kind: "track"; readonly track: MediaStreamTrack }
  | { readonly kind: "bitmaps" };

/** Figures of the last second, told about once a second. */
export interface LiveStats {
  /** Finished frames per second. */
  readonly fps: number;
  /** Milliseconds from a frame's arrival to its showing: median and 95th percentile. */
  readonly age: number;
  readonly ageP95: number;
  readonly network: number;
  readonly compose: number;
  readonly width: number;
  readonly height: number;
  readonly compositor: "webgl2" | "cpu";
  readonly state: "live" | "paused" | "waiting";
}
