/** Builds the page into the Python package, where `standout serve` and `standout page` find it. */
import { createHash } from "node:crypto";
import { type Plugin, defineConfig } from "vite";
import { ALIAS, bundled, engineFiles, here } from "./build";

function engine(): Plugin {
  return {
    name: "standout-engine",
    generateBundle() {
      for (const [name, source] of engineFiles()) this.emitFile({ type: "asset", fileName: `engine/${name}`, source });
    },
    configureServer(server) {
      server.middlewares.use("/engine", (request, response, next) => {
        const file = engineFiles().get((request.url ?? "").slice(1).split("?")[0]!);
        if (!file) return next();
        // A thread of the network is a worker of its own, made of such a file.
        response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
        response.setHeader("Content-Type", request.url!.endsWith(".mjs") ? "text/javascript" : "application/octet-stream");
        response.end(file);
      });
    },
  };
}

/** The service worker, with the list of files it keeps and a version made of their contents. */
function serviceWorker(): Plugin {
  return {
    name: "standout-service-worker",
    apply: "build",
    enforce: "post",
    async generateBundle(_, bundle) {
      const hash = createHash("sha256");
      const files = Object.values(bundle).sort((a, b) => (a.fileName < b.fileName ? -1 : 1));
      for (const file of files) hash.update(file.fileName).update(file.type === "chunk" ? file.code : file.source);
      const names = files.map((file) => file.fileName);
      const list = {
        version: hash.digest("hex").slice(0, 12),
        page: [...names.filter((name) => !name.startsWith("engine/")), "icon.svg", "licenses.txt", "manifest.webmanifest"],
        engine: names.filter((name) => name.startsWith("engine/")),
      };
      const source = await bundled("page/sw.ts", { __FILES__: JSON.stringify(list) });
      this.emitFile({ type: "asset", fileName: "sw.js", source });
    },
  };
}

export default defineConfig({
  root: here("page"),
  base: "./",
  publicDir: here("page/public"),
  resolve: { alias: ALIAS },
  build: {
    outDir: here(process.env["STANDOUT_PAGE"] ?? "../src/standout/server/page"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  worker: { format: "es" },
  server: { headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" } },
  plugins: [engine(), serviceWorker()],
});
