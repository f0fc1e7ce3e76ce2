/**
 * Builds the library standout-web into dist/: `index.js`, in which the worker lies as text, so that no bundler can lose it or a part of
 * it; `worker.js`, the same worker for pages whose policy forbids workers from `blob:`; and `engine/`, the files to be hosted.
 */
import { copyFileSync } from "node:fs";
import { type Plugin, defineConfig } from "vite";
import { ALIAS, bundled, engineFiles, here } from "./build";

const WORKER = "\0standout-worker";

/** Puts the built worker in the place of `src/workerUrl.ts`. */
function workerInside(): Plugin {
  return {
    name: "standout-worker",
    enforce: "pre",
    resolveId: (id) => (id === "./workerUrl" ? WORKER : undefined),
    async load(id) {
      if (id !== WORKER) return undefined;
      const source = await bundled("src/worker.ts");
      this.emitFile({ type: "asset", fileName: "worker.js", source });
      return `const source = ${JSON.stringify(source)};
        let url;
        export const workerUrl = () => (url ??= URL.createObjectURL(new Blob([source], { type: "text/javascript" })));`;
    },
    generateBundle() {
      for (const [name, source] of engineFiles()) this.emitFile({ type: "asset", fileName: `engine/${name}`, source });
    },
    closeBundle() {
      copyFileSync(here("../LICENSE"), here("LICENSE"));
      copyFileSync(here("page/public/licenses.txt"), here("licenses.txt"));
    },
  };
}

export default defineConfig({
  publicDir: false,
  resolve: { alias: ALIAS },
  build: {
    outDir: here("dist"), emptyOutDir: true, target: "es2022",
    lib: { entry: here("src/index.ts"), formats: ["es"], fileName: "index" },
  },
  plugins: [workerInside()],
});
