/** What the builds of page and library share: the files that both load from a folder of their host. */
import { readFileSync } from "node:fs";
import { constants, gzipSync } from "node:zlib";
import { type Rollup, build } from "vite";

export const here = (path: string): string => new URL(path, import.meta.url).pathname;

const ORT = here("node_modules/onnxruntime-web/dist/");

/** The runtime's glue comes from the folder, not from inside the bundle. */
export const ALIAS = { "onnxruntime-web/wasm": `${ORT}ort.wasm.min.mjs` };

/** Quantized weights hardly repeat themselves: zlib is told so. */
function gzipped(data: Uint8Array, strategy: number = constants.Z_DEFAULT_STRATEGY): Uint8Array {
  return gzipSync(data, { level: 9, strategy });
}

/** onnxruntime's files and our models; the large ones gzipped, for hosts that compress nothing. */
export function engineFiles(): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  files.set("ort-wasm-simd-threaded.mjs", readFileSync(`${ORT}ort-wasm-simd-threaded.mjs`));
  files.set("ort-wasm-simd-threaded.wasm.gz", gzipped(readFileSync(`${ORT}ort-wasm-simd-threaded.wasm`)));
  for (const name of ["live", "photo"]) {
    files.set(`${name}.onnx.gz`, gzipped(readFileSync(here(`models/${name}.onnx`)), constants.Z_FILTERED));
    files.set(`${name}.json`, readFileSync(here(`models/${name}.json`)));
  }
  return files;
}

/** A script in one file, with all that it imports inside: for workers. */
export async function bundled(entry: string, define: Record<string, string> = {}): Promise<string> {
  const built = (await build({
    configFile: false, publicDir: false, logLevel: "warn", resolve: { alias: ALIAS }, define,
    build: {
      write: false, target: "es2022", modulePreload: false,
      rollupOptions: { input: here(entry), output: { inlineDynamicImports: true } },
    },
  })) as Rollup.RollupOutput;
  return built.output[0].code;
}
