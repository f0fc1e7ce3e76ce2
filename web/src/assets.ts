/** Where our own files lie, and how many threads may be used. */
import { isSafari } from "./browser";
import type { Progress } from "./download";

/** What a network is opened with. */
export interface OpenOptions {
  /** `photo`, `live`, or the URL of a `.onnx` file of `standout export --web` (its `.json` beside it). */
  readonly model?: string;
  /** Longer side of the picture at the network, pixels; the model's own if absent. */
  readonly size?: number;
  /** Passes through the network for a photo, at most; more find small people better and take longer. Default: 1. */
  readonly looks?: 1 | 2 | 3;
  /** URL of the folder with onnxruntime's and our models' files; nothing is ever fetched from elsewhere. */
  readonly wasmPath: string;
  /** URL of the package's `worker.js` on your own host, for pages whose policy forbids workers from `blob:`. */
  readonly workerUrl?: string;
  /** Of the network; more than one needs a cross-origin isolated page. Default: up to 4 where possible, all cores for photos, half for cameras. */
  readonly threads?: number;
  /** `webgpu` needs `ort.webgpu.bundle.min.mjs` and its `.wasm` in the folder. */
  readonly device?: "wasm" | "webgpu";
  /** Told while files are fetched: bytes so far of all files together. */
  readonly onProgress?: (bytes: number) => void;
}

/** What `OpenOptions` come to in the worker. */
export interface NetworkOptions {
  /** URL of the `.onnx` file; its card lies beside it as `.json`. */
  readonly modelUrl: string;
  /** URL of the folder with onnxruntime's files. */
  readonly wasmPath: string;
  /** Threads of the network; more than one needs a cross-origin isolated page. */
  readonly threads: number;
  /** `wasm`, or `webgpu` first where onnxruntime's WebGPU files lie in the folder. */
  readonly device: "wasm" | "webgpu";
  readonly progress?: Progress;
}

export function networkOptions(options: OpenOptions, model: string, threads: number): Omit<NetworkOptions, "progress"> {
  const base = new URL(options.wasmPath.endsWith("/") ? options.wasmPath : `${options.wasmPath}/`, location.href).href;
  const modelUrl = model.endsWith(".onnx") ? new URL(model, location.href).href : `${base}${model}.onnx`;
  return { modelUrl, wasmPath: base, threads: options.threads ?? threads, device: options.device ?? "wasm" };
}

/** For a camera, whose frames want the other half of the cores; of two cores it gets both, which showed half as many frames again. */
export function liveThreads(): number {
  const cores = navigator.hardwareConcurrency || 2;
  return threadsOf(Math.max(cores / 2, Math.min(cores, 2)));
}

/** For photos, which somebody waits for. */
export function photoThreads(): number {
  return threadsOf(navigator.hardwareConcurrency || 2);
}

/** Threads need a cross-origin isolated page, and Safari hangs with them. */
function threadsOf(cores: number): number {
  if (!globalThis.crossOriginIsolated || isSafari()) return 1;
  return Math.max(1, Math.min(4, Math.floor(cores)));
}
