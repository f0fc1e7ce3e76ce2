/** Builds the library standout-web into dist/: one module, its worker beside it. */
import { defineConfig } from "vite";

const here = (path: string): string => new URL(path, import.meta.url).pathname;

export default defineConfig({
  base: "./",
  publicDir: false,
  resolve: { alias: { "onnxruntime-web/wasm": here("node_modules/onnxruntime-web/dist/ort.wasm.min.mjs") } },
  build: {
    outDir: here("dist"),
    emptyOutDir: true,
    target: "es2022",
    lib: { entry: here("src/index.ts"), formats: ["es"], fileName: "index" },
  },
  worker: { format: "es" },
});
