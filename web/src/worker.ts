/** The worker of the library: one network, photos or a camera's frames. */
import type { Frame } from "./arrays";
import type { NetworkOptions } from "./assets";
import { constants } from "./constants";
import { StandoutError } from "./errors";
import { LiveWorker } from "./live/liveWorker";
import { loadNetwork } from "./network";
import { type Found, PhotoEngine, type PhotoSource, type RenderOptions, type Rendered, decode } from "./photo/engine";
import { Predictor } from "./predictor";
import { Transferred, serve } from "./rpc";

export interface OpenArguments {
  readonly network: Omit<NetworkOptions, "progress">;
  readonly size: number | undefined;
  readonly looks: 1 | 2 | 3;
  /** For a camera: the network sees its pictures smaller. */
  readonly live: boolean;
}

let predictor: Predictor | undefined;
let photos: PhotoEngine | undefined;

function opened<T>(value: T | undefined): T {
  if (value === undefined) throw new StandoutError("closed", "The segmenter isn't open.");
  return value;
}

function handedOver<T extends Rendered>(rendered: T): Transferred<T> {
  return new Transferred(rendered, rendered.picture instanceof ImageBitmap ? [rendered.picture] : []);
}

const emit = serve(self as unknown as Worker, {
  async open({ network, size, looks, live: isLive }: OpenArguments) {
    const loaded = new Map<string, number>();
    const progress = (url: string, bytes: number): void => {
      loaded.set(url, bytes);
      emit("progress", [...loaded.values()].reduce((a, b) => a + b, 0));
    };
    const opening = await loadNetwork({ ...network, progress });
    const own = Math.max(...opening.card.input_size);
    predictor = new Predictor(opening, size ?? (isLive ? Math.min(own, constants().live.longest_side) : own), looks);
    photos = new PhotoEngine(predictor);
    live.use(predictor);
    return predictor.card;
  },
  async alpha({ source }: { source: PhotoSource }) {
    const frame: Frame = await decode(source);
    const alpha = await opened(predictor).alpha(frame);
    return new Transferred(alpha, [alpha.data.buffer as ArrayBuffer]);
  },
  async look({ source, key }: { source: PhotoSource; key: string | undefined }) {
    const found = await opened(photos).look(source, key);
    return new Transferred(found, [found.alpha.data.buffer as ArrayBuffer]);
  },
  async render({ source, found, options }: { source: PhotoSource; found: Found; options: RenderOptions }) {
    return handedOver(await opened(photos).render(source, found, options));
  },
  async cutOut({ source, options }: { source: PhotoSource; options: RenderOptions }) {
    return handedOver(await opened(photos).cutOut(source, options));
  },
  personAt({ found, x, y }: { found: Found; x: number; y: number }) {
    return opened(photos).personAt(found, x, y);
  },
  forget() {
    photos?.forget();
  },
});

const live = new LiveWorker((event, data, transfer) => emit(event, data, transfer));
self.addEventListener("message", (message: MessageEvent) => live.receive(message.data));
