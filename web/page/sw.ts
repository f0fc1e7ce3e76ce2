/// <reference lib="webworker" />
/**
 * Keeps the page on the device. The page's own files are fetched when it is installed; the network and the models when they are
 * first needed, and what is missing then right after. It also answers with the two headers that threads need, which a plain web
 * host doesn't send; not in Safari, which hangs with them.
 */
import { isSafari } from "../src/browser";

declare const self: ServiceWorkerGlobalScope;
declare const __FILES__: { version: string; page: string[]; engine: string[] };

const { version, page, engine } = __FILES__;
const CACHE = `standout-${version}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(page)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name.startsWith("standout-") && name !== CACHE) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const inside = url.origin === self.location.origin && url.href.startsWith(self.registration.scope);
  if (event.request.method !== "GET" || !inside) return;
  const path = url.pathname.slice(new URL(self.registration.scope).pathname.length) || "index.html";
  if (page.includes(path) || engine.includes(path)) event.respondWith(answer(path));
});

/** One fetch of a file at a time: page and filling may ask for the same one. */
const running = new Map<string, Promise<Response>>();

async function answer(path: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(path);
  if (kept) return isolated(kept);
  let fetching = running.get(path);
  if (!fetching) {
    fetching = fetch(path).then(async (response) => {
      if (response.ok) await cache.put(path, response.clone());
      return response;
    });
    running.set(path, fetching);
    void fetching.finally(() => running.delete(path)).catch(() => {});
  }
  return isolated((await fetching).clone());
}

function isolated(response: Response): Response {
  if (isSafari() || !response.ok) return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

self.addEventListener("message", (event) => {
  if (event.data !== "fill" && event.data !== "fill?") return;
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      for (const path of engine) {
        if (await cache.match(path)) continue;
        // Asked only: nothing is downloaded that nobody wanted yet.
        if (event.data === "fill?") return;
        await answer(path).then((response) => response.body?.cancel());
      }
      event.source?.postMessage("filled");
    })(),
  );
});
