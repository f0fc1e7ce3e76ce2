/** The network in onnxruntime-web: WebAssembly from our own folder, never from elsewhere. */
import type * as Ort from "onnxruntime-web";
import type { Rgb } from "./arrays";
import type { NetworkOptions } from "./assets";
import { useConstants } from "./constants";
import { download, downloadPacked } from "./download";
import { StandoutError } from "./errors";
import type { Card, Network } from "./predictor";

/** The runtime is one per worker or page: it is set up by the first network. */
let runtime: Promise<typeof Ort> | undefined;

async function loadRuntime(options: NetworkOptions): Promise<typeof Ort> {
  const { wasmPath, device } = options;
  if (device === "webgpu") {
    // Not bundled: 6.6 MB that only those load who put it into their folder.
    const ort = (await import(/* @vite-ignore */ `${wasmPath}ort.webgpu.bundle.min.mjs`)) as typeof Ort;
    ort.env.wasm.wasmPaths = wasmPath;
    ort.env.wasm.numThreads = 1;
    return ort;
  }
  const ort = (await import("onnxruntime-web/wasm")) as typeof Ort;
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = options.threads;
  ort.env.wasm.wasmPaths = { mjs: `${wasmPath}ort-wasm-simd-threaded.mjs` };
  const binary = await downloadPacked(`${wasmPath}ort-wasm-simd-threaded.wasm`, options.progress);
  ort.env.wasm.wasmBinary = binary.buffer;
  return ort;
}

/** Loads a model. */
export async function loadNetwork(options: NetworkOptions): Promise<Network> {
  runtime ??= loadRuntime(options);
  const failed = (error: unknown): never => {
    runtime = undefined;
    throw error;
  };
  const [ort, model, card] = await Promise.all([
    runtime.catch(failed),
    downloadPacked(options.modelUrl, options.progress),
    download(options.modelUrl.replace(/\.onnx$/, ".json")),
  ]);
  return createNetwork(ort, model, readCard(card), options.device);
}

export function readCard(json: Uint8Array): Card {
  const card = JSON.parse(new TextDecoder().decode(json)) as Card;
  if (!Array.isArray(card.input_size) || typeof card.threshold !== "number") {
    throw new StandoutError("model", "The model's card must be a JSON file of `standout export --web`; it holds no `input_size`.");
  }
  useConstants(card.constants);
  return card;
}

/** A network of a model's bytes, in a runtime that is set up. */
export async function createNetwork(
  ort: typeof Ort, model: Uint8Array, card: Card, device: "wasm" | "webgpu" = "wasm",
): Promise<Network> {
  let session: Ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(model, {
      executionProviders: device === "webgpu" ? ["webgpu", "wasm"] : ["wasm"],
      graphOptimizationLevel: "all",
    });
  } catch (error) {
    throw new StandoutError("model", `The model can't be loaded (${error instanceof Error ? error.message : String(error)}).`);
  }
  const input = session.inputNames[0]!;
  const output = session.outputNames[0]!;
  return {
    card,
    async run(picture: Rgb): Promise<Float32Array> {
      const tensor = new ort.Tensor("uint8", picture.data, [1, picture.height, picture.width, 3]);
      const results = await session.run({ [input]: tensor });
      const alpha = results[output]!;
      const data = (await alpha.getData()) as Float32Array;
      for (let i = 0; i < data.length; i++) data[i] = data[i]! < 0 ? 0 : data[i]! > 1 ? 1 : data[i]!;
      return data;
    },
    async close(): Promise<void> {
      await session.release();
    },
  };
}
