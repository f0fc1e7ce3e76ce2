/** The network of the page: fetched when it is first needed, and what that cost. */
import { type Segmenter, createSegmenter } from "../src/index";
import { get } from "./dom";
import { onLanguage, t } from "./i18n";

/** Where the build puts onnxruntime's and our models' files. */
export const ENGINE = new URL("./engine/", document.baseURI).href;

const bytes = new Map<string, number>();
let loading = false;

function tell(): void {
  const sum = [...bytes.values()].reduce((a, b) => a + b, 0);
  const size = (sum / 1e6).toFixed(1);
  get("download-text").textContent = sum ? t(loading ? "downloading" : "downloaded", { size }) : "";
}
onLanguage(tell);

/** Counts what is downloaded for one purpose. */
export function counting(name: string): { onProgress: (sum: number) => void; done: () => void } {
  return {
    onProgress: (sum) => {
      loading = true;
      bytes.set(name, sum);
      tell();
    },
    done: () => {
      loading = false;
      tell();
      navigator.serviceWorker?.controller?.postMessage("fill");
    },
  };
}

let photos: Promise<Segmenter> | undefined;

export function photoSegmenter(): Promise<Segmenter> {
  photos ??= openPhotos();
  return photos;
}

async function openPhotos(): Promise<Segmenter> {
  await settled();
  const counter = counting("photos");
  try {
    // `?model=live`: four times as fast, for slow machines; its edges are coarser.
    const query = new URLSearchParams(location.search);
    const model = query.get("model") === "live" ? "live" : "photo";
    const size = Number(query.get("size"));
    const segmenter = await createSegmenter({ model, ...(size ? { size } : {}), wasmPath: ENGINE, onProgress: counter.onProgress });
    counter.done();
    return segmenter;
  } catch (error) {
    photos = undefined;
    counter.done();
    throw error;
  }
}

/** Waits a moment for the service worker, so that what is downloaded now is kept for later. */
export async function settled(): Promise<void> {
  if (!navigator.serviceWorker || navigator.serviceWorker.controller) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 3000);
    navigator.serviceWorker.addEventListener("controllerchange", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
