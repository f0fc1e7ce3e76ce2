/** The list of photos with small pictures and their states. */
import type { Segmenter } from "../src/index";
import { get } from "./dom";
import { t } from "./i18n";
import type { Look, Photo, State } from "./photoList";

const SIDE = 104;

interface Row {
  readonly item: HTMLLIElement;
  readonly canvas: HTMLCanvasElement;
  readonly name: HTMLElement;
  readonly state: HTMLElement;
  readonly button: HTMLButtonElement;
}

export class QueueView {
  private readonly rows = new Map<string, Row>();

  constructor(
    private readonly onSelect: (photo: Photo) => void,
    private readonly onRemove: (photo: Photo) => void,
  ) {}

  renew(photos: readonly Photo[], selected: Photo | undefined): void {
    for (const photo of photos) {
      const row = this.row(photo);
      row.name.textContent = photo.file.name;
      row.state.textContent = photo.state === "failed" ? photo.error : t(photo.state);
      if (photo.keep.length) row.state.textContent = t("keptOf", { number: photo.keep.join(", ") });
      row.item.classList.toggle("bad", photo.state === "failed" || photo.state === "nobody");
      row.button.setAttribute("aria-pressed", String(photo === selected));
    }
    const of = (...states: State[]): number => photos.filter((photo) => states.includes(photo.state)).length;
    const [failed, empty] = [of("failed"), of("nobody")];
    get<HTMLProgressElement>("queue-progress").value = photos.length ? of("done", "nobody", "failed") / photos.length : 0;
    get("queue-text").textContent = [
      t("queueText", { done: of("done"), all: photos.length }), empty ? t("queueNobody", { count: empty }) : "",
      failed ? t("queueFailed", { count: failed }) : "",
    ].filter(Boolean).join(", ");
  }

  async thumbnail(photo: Photo, segmenter: Segmenter, look: Look): Promise<void> {
    const rendered = await segmenter.render(photo.file, await photo.foundAlpha(), {
      ...look, maxSide: SIDE * 2, key: photo.id,
    });
    const bitmap = rendered.picture as ImageBitmap;
    const canvas = this.rows.get(photo.id)?.canvas;
    if (!canvas) {
      // Removed meanwhile.
      bitmap.close();
      return;
    }
    const scale = Math.min(SIDE / bitmap.width, SIDE / bitmap.height);
    canvas.width = canvas.height = SIDE;
    const [w, h] = [bitmap.width * scale, bitmap.height * scale];
    canvas.getContext("2d")!.drawImage(bitmap, (SIDE - w) / 2, (SIDE - h) / 2, w, h);
    bitmap.close();
  }

  drop(photo: Photo): void {
    this.rows.get(photo.id)?.item.remove();
    this.rows.delete(photo.id);
  }

  private row(photo: Photo): Row {
    const known = this.rows.get(photo.id);
    if (known) return known;
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    const text = document.createElement("span");
    const name = document.createElement("span");
    name.className = "name";
    const state = document.createElement("span");
    state.className = "state";
    text.append(name, state);
    button.append(canvas, text);
    button.addEventListener("click", () => this.onSelect(photo));
    button.addEventListener("keydown", (event) => {
      if (event.key === "Delete") this.onRemove(photo);
    });
    const away = document.createElement("button");
    away.type = "button";
    away.className = "away";
    away.textContent = "×";
    away.setAttribute("aria-label", t("remove", { name: photo.file.name }));
    away.addEventListener("click", () => this.onRemove(photo));
    item.append(button, away);
    get("queue").append(item);
    const row = { item, canvas, name, state, button };
    this.rows.set(photo.id, row);
    return row;
  }
}
