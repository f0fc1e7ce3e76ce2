/** `virtualBackground`: a camera's stream in, a stream with another background out. */
import { type OpenOptions, liveThreads, networkOptions } from "./assets";
import { isSafari } from "./browser";
import { parseColor } from "./color";
import { StandoutError } from "./errors";
import type { LiveBehind } from "./live/compositor";
import type { LiveStats, Source, ToWorker } from "./live/messages";
import { CanvasTransport } from "./live/canvasTransport";
import { Remote } from "./rpc";
import { workerUrl } from "./workerUrl";

/** What comes behind the person of a camera. `none` shows the room. */
export type VideoBackground =
  | "blur"
  | "none"
  | { readonly blur: number }
  | { readonly color: string }
  | { readonly image: Blob | ImageBitmap | HTMLImageElement }
  | { readonly video: HTMLVideoElement };

export interface VirtualBackgroundOptions extends OpenOptions {
  readonly background?: VideoBackground;
  /** The network sees every n-th frame; in between, alpha follows the motion. Default: 2. */
  readonly every?: number;
  readonly smoothing?: boolean;
  /** `streams` in a worker, or `canvas`; by default what the browser can. */
  readonly transport?: "auto" | "canvas";
  readonly compositor?: "auto" | "cpu" | "webgl2";
  /** About once a second. */
  readonly onStats?: (stats: LiveStats) => void;
  /** A sentence, when something went wrong on the way. */
  readonly onError?: (message: string) => void;
}

/** The finished stream; its tracks go into a call as any camera's do. */
export interface VirtualStream extends MediaStream {
  /** `streams`: frames never touch the page; `canvas`: where there are no such streams (Firefox). */
  readonly transport: "streams" | "canvas";
  setBackground(background: VideoBackground): Promise<void>;
  /** While paused, others see a plain picture. */
  setPaused(paused: boolean): void;
  close(): void;
  /** Loses the graphics context as a driver would; for tests. */
  loseContext(restoreAfterMs: number): void;
}

interface Capabilities {
  MediaStreamTrackProcessor?: new (init: { track: MediaStreamTrack; maxBufferSize?: number }) => { readable: ReadableStream<VideoFrame> };
  MediaStreamTrackGenerator?: new (init: { kind: "video" }) => MediaStreamTrack & { writable: WritableStream<VideoFrame> };
}

/** How often a moving background is renewed. */
const VIDEO_MS = 66;

/**
 * Puts another background behind the people of a camera.
 *
 * @param stream With a video track; its sound is passed on.
 * @example
 * const camera = await navigator.mediaDevices.getUserMedia({ video: true });
 * const stream = await virtualBackground(camera, { background: "blur", wasmPath: "/standout/" });
 * peer.addTrack(stream.getVideoTracks()[0], stream);
 */
export async function virtualBackground(stream: MediaStream, options: VirtualBackgroundOptions): Promise<VirtualStream> {
  const [track] = stream.getVideoTracks();
  if (!track) throw new StandoutError("input", "The stream must have a video track; this one has none.");
  const first = await readBackground(options.background ?? "blur");
  const worker = new Worker(options.workerUrl ?? workerUrl(), { type: "module", name: "standout-live" });
  const listeners = new Map<string, (data: never) => void>();
  const remote = new Remote(worker, (event, data) => listeners.get(event)?.(data));
  listeners.set("progress", (bytes) => options.onProgress?.(bytes));
  listeners.set("stats", (stats) => options.onStats?.(stats));
  listeners.set("failed", (message) => options.onError?.(message));
  try {
    await remote.call("open", { network: networkOptions(options, options.model ?? "live", liveThreads()), size: options.size, looks: 1, live: true });
  } catch (error) {
    remote.close();
    throw error;
  }
  const send = (message: ToWorker, transfer: Transferable[] = []): void => worker.postMessage(message, transfer);
  const engine = { every: options.every, smoothing: options.smoothing ?? true, compositor: options.compositor ?? "auto" };
  const start = (source: Source, transfer: Transferable[]): void => {
    send({ live: "start", options: engine, behind: first, source }, transfer);
  };

  const scope = globalThis as Capabilities;
  let transport: "streams" | "canvas" = "streams";
  let canvas: CanvasTransport | undefined;
  let output: MediaStreamTrack | undefined;
  // The stream's own track stays the caller's: a clone is read, and ended with it.
  const input = track.clone();
  if (options.transport !== "canvas" && scope.MediaStreamTrackProcessor && scope.MediaStreamTrackGenerator) {
    const { readable } = new scope.MediaStreamTrackProcessor({ track: input, maxBufferSize: 1 });
    const generator = new scope.MediaStreamTrackGenerator({ kind: "video" });
    start({ kind: "streams", readable, writable: generator.writable }, [readable as never, generator.writable as never]);
    output = generator;
  } else if (options.transport !== "canvas") {
    output = await workerTrack(input, start, listeners);
  }
  if (!output) {
    transport = "canvas";
    canvas = new CanvasTransport(input, send, listeners);
    output = canvas.track;
    start({ kind: "bitmaps" }, []);
  }
  const onUnmute = (): void => send({ live: "reset" });
  track.addEventListener("unmute", onUnmute);
  const video = new MovingBackground(send);
  await video.show(options.background);

  const result = new MediaStream([output, ...stream.getAudioTracks()]);
  const close = (): void => {
    track.removeEventListener("unmute", onUnmute);
    video.stop();
    canvas?.close();
    send({ live: "stop" });
    input.stop();
    output.stop();
    // The worker closes its streams first.
    setTimeout(() => remote.close(), 200);
  };
  track.addEventListener("ended", close);
  return Object.assign(result, {
    transport,
    close,
    async setBackground(background: VideoBackground): Promise<void> {
      const behind = await readBackground(background);
      send({ live: "behind", behind });
      await video.show(background);
    },
    setPaused(paused: boolean): void {
      send({ live: "pause", paused });
    },
    loseContext(restoreAfterMs: number): void {
      send({ live: "loseContext", restoreAfterMs });
    },
  });
}

/** Safari has processor and generator in workers only, and can hand over a track. */
async function workerTrack(
  input: MediaStreamTrack, start: (source: Source, transfer: Transferable[]) => void, listeners: Map<string, (data: never) => void>,
): Promise<MediaStreamTrack | undefined> {
  if (!isSafari()) return undefined;
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), 1500);
    listeners.set("track", (track: MediaStreamTrack) => {
      clearTimeout(timer);
      resolve(track);
    });
    try {
      const copy = input.clone();
      start({ kind: "track", track: copy }, [copy as unknown as Transferable]);
    } catch {
      clearTimeout(timer);
      resolve(undefined);
    }
  });
}

async function readBackground(background: VideoBackground): Promise<LiveBehind> {
  if (background === "blur") return { kind: "blur", strength: 1 };
  if (background === "none") return { kind: "none" };
  if ("blur" in background) return { kind: "blur", strength: Math.min(8, Math.max(0.1, background.blur)) };
  if ("color" in background) return { kind: "color", color: parseColor(background.color) };
  if ("video" in background) return { kind: "color", color: [31, 41, 51] };
  const bitmap = await createImageBitmap(background.image).catch(() => undefined);
  if (!bitmap) throw new StandoutError("input", "The background is no picture that this browser can read.");
  return { kind: "image", image: bitmap };
}

/** A video as background: its pictures are sent on as they come. */
class MovingBackground {
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly send: (message: ToWorker, transfer?: Transferable[]) => void) {}

  async show(background: VideoBackground | undefined): Promise<void> {
    this.stop();
    if (typeof background !== "object" || !("video" in background)) return;
    const { video } = background;
    video.muted = true;
    video.loop = true;
    await video.play().catch(() => {
      throw new StandoutError("input", "The background is no video that this browser can play.");
    });
    let busy = false;
    this.timer = setInterval(() => {
      if (busy || video.readyState < 2) return;
      busy = true;
      void createImageBitmap(video)
        .then((image) => this.send({ live: "behind", behind: { kind: "image", image } }, [image]))
        .catch(() => {})
        .finally(() => {
          busy = false;
        });
    }, VIDEO_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
