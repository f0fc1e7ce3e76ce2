/** Frames by way of a video element and a canvas, where a browser has no streams of frames (Firefox). */
import type { ToWorker } from "./messages";

/** While the page is hidden, frames are taken this often. */
const HIDDEN_MS = 50;
/** A frame that hasn't come back after so long won't. */
const LOST_MS = 1000;

export class CanvasTransport {
  readonly track: MediaStreamTrack;
  private readonly video = document.createElement("video");
  private readonly canvas = document.createElement("canvas");
  /** Whether a frame is on its way; a worker that lost one is asked again after a while. */
  private busy = false;
  private lost: ReturnType<typeof setTimeout> | undefined;
  private closed = false;
  private readonly onVisibility = (): void => {
    this.send({ live: "tick", everyMs: document.hidden ? HIDDEN_MS : 0 });
    if (!document.hidden) this.wait();
  };

  constructor(
    input: MediaStreamTrack,
    private readonly send: (message: ToWorker, transfer?: Transferable[]) => void,
    listeners: Map<string, (data: never) => void>,
  ) {
    const context = this.canvas.getContext("bitmaprenderer")!;
    const { width = 640, height = 360 } = input.getSettings();
    this.canvas.width = width;
    this.canvas.height = height;
    listeners.set("picture", (bitmap: ImageBitmap) => {
      if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) {
        this.canvas.width = bitmap.width;
        this.canvas.height = bitmap.height;
      }
      context.transferFromImageBitmap(bitmap);
      this.free();
    });
    listeners.set("tick", () => void this.grab());
    this.track = this.canvas.captureStream(30).getVideoTracks()[0]!;
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.srcObject = new MediaStream([input]);
    void this.video.play().catch(() => {});
    document.addEventListener("visibilitychange", this.onVisibility);
    this.onVisibility();
    if (document.hidden) this.wait();
  }

  close(): void {
    this.closed = true;
    document.removeEventListener("visibilitychange", this.onVisibility);
    clearTimeout(this.lost);
    this.video.srcObject = null;
    this.track.stop();
  }

  private wait(): void {
    if (this.closed) return;
    const next = (): void => {
      void this.grab();
      if (!document.hidden) this.wait();
    };
    if ("requestVideoFrameCallback" in this.video) this.video.requestVideoFrameCallback(next);
    else setTimeout(next, 33);
  }

  private async grab(): Promise<void> {
    if (this.busy || this.closed || this.video.readyState < 2) return;
    this.busy = true;
    this.lost = setTimeout(() => this.free(), LOST_MS);
    const taken = Date.now();
    const bitmap = await createImageBitmap(this.video).catch(() => undefined);
    if (bitmap) this.send({ live: "frame", bitmap, taken }, [bitmap]);
    else this.free();
  }

  private free(): void {
    clearTimeout(this.lost);
    this.busy = false;
  }
}
