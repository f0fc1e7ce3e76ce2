/** Saving, copying, packing all photos, and a warning before work is lost. */
import { downloadZip } from "client-zip";
import type { Segmenter } from "../src/index";
import { get, say, saveBlob, sentence, unique } from "./dom";
import { photoSegmenter } from "./engine";
import { t } from "./i18n";
import type { Look, Photo } from "./photoList";

/** The photos and how they look now. */
export interface Work {
  readonly photos: readonly Photo[];
  readonly selected: () => Photo | undefined;
  readonly look: () => Look;
  readonly failed: (photo: Photo, error: unknown) => void;
}

let packing = false;

export function startSaving(work: Work): void {
  get("save").addEventListener("click", () => void save(work));
  get("copy").addEventListener("click", () => void copy(work));
  get("save-all").addEventListener("click", () => void saveAll(work));
}

/** Only what has something to save can be pressed. */
export function showSavable({ photos, selected }: Work): void {
  const one = !!selected()?.isSavable;
  get<HTMLButtonElement>("save").disabled = !one;
  get<HTMLButtonElement>("copy").disabled = !one;
  get<HTMLButtonElement>("save-all").disabled = packing || !photos.some((photo) => photo.isSavable);
}

function format(): string {
  return get<HTMLSelectElement>("format").value;
}

async function save({ selected, look }: Work): Promise<void> {
  const photo = selected();
  if (!photo?.isSavable) return;
  try {
    const name = photo.fileName(format());
    const { picture } = await photo.render(await photoSegmenter(), look(), format());
    saveBlob(picture as Blob, name);
    photo.isSaved = true;
    say("save", "");
    get("queue-text").textContent = t("saved", { name });
  } catch (error) {
    say("save", sentence(error));
  }
}

async function copy({ selected, look }: Work): Promise<void> {
  const photo = selected();
  if (!photo?.isSavable) return;
  try {
    if (!isSecureContext) throw new Error(t("copyNeedsHttps"));
    const picture = photoSegmenter().then(async (segmenter) => (await photo.render(segmenter, look(), "image/png")).picture as Blob);
    await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]).catch(() => Promise.reject(new Error(t("copyFails"))));
    photo.isSaved = true;
    say("save", "");
    get("queue-text").textContent = t("copied");
  } catch (error) {
    say("save", sentence(error));
  }
}

async function saveAll(work: Work): Promise<void> {
  const ready = work.photos.filter((photo) => photo.isSavable);
  if (!ready.length || packing) return;
  packing = true;
  showSavable(work);
  try {
    const saved: Photo[] = [];
    const zip = await downloadZip(finished(work, await photoSegmenter(), ready, saved)).blob();
    const left = ready.filter((photo) => !saved.includes(photo)).map((photo) => photo.file.name);
    say("save", left.length ? t("notPacked", { names: left.join(", ") }) : "");
    if (!saved.length) return;
    saveBlob(zip, "standout.zip");
    for (const photo of saved) photo.isSaved = true;
    get("queue-text").textContent = t("savedAll", { name: "standout.zip", count: saved.length });
  } catch (error) {
    say("save", sentence(error));
  } finally {
    packing = false;
    showSavable(work);
  }
}

/** The finished files one after the other; a photo that can't be finished costs nothing but itself. */
async function* finished(
  work: Work, segmenter: Segmenter, ready: readonly Photo[], saved: Photo[],
): AsyncGenerator<{ name: string; input: Blob; lastModified: Date }> {
  const names = new Set<string>();
  const [look, type] = [work.look(), format()];
  for (const [index, photo] of ready.entries()) {
    get("queue-text").textContent = t("zipping", { done: index, all: ready.length });
    try {
      const { picture } = await photo.render(segmenter, look, type);
      saved.push(photo);
      yield { name: unique(photo.fileName(type), names), input: picture as Blob, lastModified: new Date() };
    } catch (error) {
      work.failed(photo, error);
    }
  }
}

/** Asks before the page goes away with something that nobody has saved. */
export function warnBeforeLeaving(isUnsaved: () => boolean): void {
  window.addEventListener("beforeunload", (event) => {
    if (isUnsaved()) event.preventDefault();
  });
}
