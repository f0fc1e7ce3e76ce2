/**
 * A camera's frames in the worker. Always the newest one: what came while another was worked on is dropped. What can't be finished
 * isn't shown; a cover is shown instead.
 */
import type { Predictor } from "../predictor";
import { type Compositor, type LivePicture, pictureSize } from "./compositor";
import { Cover } from "./cover";
import { LiveEngine } from "./engine";
import type { LiveStats, Source, ToWorker } from "./messages";

type Emit = (event: string, data: unknown, transfer?: Transferable[]) => void;

/** How often the cover is shown while nothing else may be. */
const COVER_MS = 500;

type Outputs = Pick<Compositor, "videoFrame" | "bitmap">;

interface Waiting {
  readonly picture: LivePicture;
  readonly arrived: number;
}

export class LiveWorker {
  private predictor: Predictor | undefined;
  private engine: LiveEngine | undefined;
  private writer: WritableStreamDefaultWriter<VideoFrame> | undefined;
  private reader: ReadableStreamDefaultReader<VideoFrame> | undefined;
  private newest: Waiting | undefined;
  private busy = false;
  private paused = false;
  private size = { width: 640, height: 360 };
  private shownAt = 0;
  private timestamp = 0;
  private ages: number[] = [];
  private since = 0;
  private readonly cover = new Cover();
  private timers: ReturnType<typeof setInterval>[] = [];
  private ticker: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly emit: Emit) {}

  use(predictor: Predictor): void {
    this.predictor = predictor;
  }

  receive(message: ToWorker): void {
    switch (message.live) {
      case "start":
        this.start(message);
        break;
      case "frame":
        this.take(message.bitmap, performance.now() - Math.max(0, Date.now() - message.taken));
        break;
      case "behind":
        this.engine?.setBehind(message.behind);
        break;
      case "pause":
        this.paused = message.paused;
        this.engine?.reset();
        if (message.paused) this.showCover();
        break;
      case "reset":
        this.engine?.reset();
        break;
      case "tick":
        clearInterval(this.ticker);
        // A page in the background has its own timers slowed down; a worker's are not.
        if (message.everyMs) this.ticker = setInterval(() => this.emit("tick", undefined), message.everyMs);
        break;
      case "loseContext":
        (this.engine?.compositor as { loseContext?: (ms: number) => void } | undefined)?.loseContext?.(message.restoreAfterMs);
        break;
      case "stop":
        this.stop();
        break;
      default:
    }
  }

  private start(message: Extract<ToWorker, { live: "start" }>): void {
    this.stop();
    this.engine = new LiveEngine(this.predictor!, message.options);
    this.engine.setBehind(message.behind);
    this.since = performance.now();
    this.timers = [setInterval(() => this.tellStats(), 1000), setInterval(() => this.keepCovered(), COVER_MS)];
    this.connect(message.source);
  }

  private connect(source: Source): void {
    if (source.kind === "bitmaps") return;
    let readable: ReadableStream<VideoFrame>;
    let writable: WritableStream<VideoFrame>;
    if (source.kind === "streams") ({ readable, writable } = source);
    else {
      const scope = self as unknown as {
        MediaStreamTrackProcessor: new (init: { track: MediaStreamTrack }) => { readable: ReadableStream<VideoFrame> };
        VideoTrackGenerator: new () => { writable: WritableStream<VideoFrame>; track: MediaStreamTrack };
      };
      const generator = new scope.VideoTrackGenerator();
      readable = new scope.MediaStreamTrackProcessor({ track: source.track }).readable;
      writable = generator.writable;
      this.emit("track", generator.track, [generator.track as unknown as Transferable]);
    }
    this.writer = writable.getWriter();
    this.reader = readable.getReader();
    void this.read(this.reader);
  }

  private async read(reader: ReadableStreamDefaultReader<VideoFrame>): Promise<void> {
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({ done: true as const, value: undefined }));
      if (done) break;
      this.take(value, performance.now());
    }
    if (reader === this.reader) this.emit("ended", undefined);
  }

  private take(picture: LivePicture, arrived: number): void {
    this.newest?.picture.close();
    this.newest = undefined;
    if (this.paused || !this.engine) {
      picture.close();
      return;
    }
    this.newest = { picture, arrived };
    if (!this.busy) void this.work();
  }

  private async work(): Promise<void> {
    this.busy = true;
    while (this.newest && this.engine) {
      const { picture, arrived } = this.newest;
      this.newest = undefined;
      const { engine } = this;
      try {
        this.size = pictureSize(picture);
        const finished = await engine.process(picture);
        // Paused or stopped meanwhile: what was finished is not shown any more.
        if (finished && !this.paused && engine === this.engine) {
          await this.show(engine.compositor, picture);
          this.ages.push(performance.now() - arrived);
        }
      } catch (error) {
        this.emit("failed", error instanceof Error ? error.message : String(error));
      } finally {
        picture.close();
      }
      // Lets messages in: what the network does in WebAssembly holds the worker up.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    this.busy = false;
  }

  private async show(made: Outputs, source?: LivePicture): Promise<void> {
    this.shownAt = performance.now();
    if (!this.writer) {
      const bitmap = await made.bitmap();
      this.emit("picture", bitmap, [bitmap]);
      return;
    }
    const own = source instanceof VideoFrame ? source.timestamp : this.timestamp + COVER_MS * 1000;
    this.timestamp = Math.max(own, this.timestamp + 1);
    const frame = made.videoFrame(this.timestamp);
    await this.writer.write(frame).catch(() => frame.close());
  }

  private showCover(): void {
    this.cover.draw(this.size.width, this.size.height);
    void this.show(this.cover);
  }

  /** While nothing can be finished (paused, context lost, nothing yet), the cover stands for the frames. */
  private keepCovered(): void {
    if (!this.engine) return;
    const late = performance.now() - this.shownAt > 6 * COVER_MS;
    if (this.paused || this.engine.compositor.lost || late) this.showCover();
  }

  private tellStats(): void {
    const { engine } = this;
    if (!engine) return;
    const now = performance.now();
    const ages = this.ages.sort((a, b) => a - b);
    const at = (share: number): number => ages[Math.min(ages.length - 1, Math.floor(ages.length * share))] ?? 0;
    const stats: LiveStats = {
      fps: (ages.length * 1000) / (now - this.since), age: at(0.5), ageP95: at(0.95),
      network: engine.timing.network, compose: engine.timing.compose, ...this.size, compositor: engine.compositor.kind,
      state: this.paused ? "paused" : ages.length ? "live" : "waiting",
    };
    this.ages = [];
    this.since = now;
    this.emit("stats", stats);
  }

  private stop(): void {
    for (const timer of this.timers) clearInterval(timer);
    clearInterval(this.ticker);
    this.timers = [];
    this.newest?.picture.close();
    this.newest = undefined;
    const { reader, writer, engine } = this;
    this.reader = this.writer = this.engine = undefined;
    void reader?.cancel().catch(() => {});
    void writer?.close().catch(() => {});
    engine?.close();
    this.paused = false;
  }
}
