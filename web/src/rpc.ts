/** Calls over a worker's message port: an id for each call, errors by their sentence, events beside. */
import { StandoutError } from "./errors";

interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: unknown;
}

type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { code: StandoutError["code"]; message: string } }
  | { readonly event: string; readonly data: unknown };

export type Handlers = Readonly<Record<string, (args: never) => unknown>>;

/** What a handler returns when parts of it are to be handed over instead of copied. */
export class Transferred<T> {
  constructor(
    readonly value: T,
    readonly transfer: Transferable[],
  ) {}
}

interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** Answers calls in a worker; one after the other, so that two pictures never share the network. */
export function serve(port: Port, handlers: Handlers): (event: string, data: unknown, transfer?: Transferable[]) => void {
  let last: Promise<unknown> = Promise.resolve();
  port.addEventListener("message", (message) => {
    const { id, method, args } = message.data as Call;
    const handler = handlers[method];
    if (!handler) return;
    last = last.then(async () => {
      try {
        const value: unknown = await handler(args as never);
        if (value instanceof Transferred) port.postMessage({ id, value: value.value }, value.transfer);
        else port.postMessage({ id, value }, []);
      } catch (error) {
        const code = error instanceof StandoutError ? error.code : "device";
        const text = error instanceof Error ? error.message : String(error);
        port.postMessage({ id, error: { code, message: text } }, []);
      }
    });
  });
  return (event, data, transfer = []) => port.postMessage({ event, data }, transfer);
}

/** The caller's side. */
export class Remote {
  private readonly waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  private next = 1;
  private closed = false;

  constructor(
    private readonly worker: Worker,
    private readonly onEvent: (event: string, data: never) => void = () => {},
  ) {
    worker.addEventListener("message", (message: MessageEvent) => {
      const answer = message.data as Answer;
      if ("event" in answer) {
        this.onEvent(answer.event, answer.data as never);
        return;
      }
      const call = this.waiting.get(answer.id);
      this.waiting.delete(answer.id);
      if ("error" in answer) call?.reject(new StandoutError(answer.error.code, answer.error.message));
      else call?.resolve(answer.value as never);
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      const why = event.message || "its script can't be loaded; where the page's policy forbids workers from `blob:`, give `workerUrl`";
      this.fail(new StandoutError("device", `The worker can't go on (${why}).`));
    });
  }

  call<T>(method: string, args: unknown, transfer: Transferable[] = []): Promise<T> {
    if (this.closed) return Promise.reject(new StandoutError("closed", "This has been closed; create it anew."));
    const id = this.next++;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (value: never) => void, reject });
      this.worker.postMessage({ id, method, args }, transfer);
    });
  }

  close(): void {
    this.closed = true;
    this.worker.terminate();
    this.fail(new StandoutError("closed", "This was closed before the answer came."));
  }

  private fail(error: StandoutError): void {
    for (const call of this.waiting.values()) call.reject(error);
    this.waiting.clear();
  }
}
