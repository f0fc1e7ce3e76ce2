/** The photo side of the page: the queue, the look, saving. */
import type { PhotoBackground, Segmenter } from "../src/index";
import { chosen, get, say, saveBlob, sentence } from "./dom";
import { photoSegmenter } from "./engine";
import { onLanguage, t } from "./i18n";
import { type Look, Photo } from "./photoList";
import { QueueView } from "./queueView";
import { Stage, type Tool } from "./stage";
import { ZIP_LIMIT, Zip } from "./zip";

const photos: Photo[] = [];
let selected: Photo | undefined;
let running = false;
let rendering = false;
let again = false;
let ownPicture: File | undefined;
let stage: Stage;
let queue: QueueView;

export function selectedPhoto(): Photo | undefined {
  return selected;
}

export function startPhotos(): void {
  stage = new Stage();
  queue = new QueueView((photo) => void select(photo), remove);
  const files = get<HTMLInputElement>("files");
  for (const id of ["choose", "more"]) get(id).addEventListener("click", () => files.click());
  files.addEventListener("change", () => {
    add([...(files.files ?? [])]);
    files.value = "";
  });
  takeDrops();
  window.addEventListener("paste", (event) => add([...(event.clipboardData?.files ?? [])]));

  get("look").addEventListener("input", (event) => {
    const input = event.target as HTMLInputElement;
    if (input.closest("#official")) return;
    if (input.id === "picture") ownPicture = input.files?.[0];
    // Choosing a color, a strength or a file means the background that it belongs to.
    const means = { color: "color", blur: "blur", picture: "picture" }[input.id];
    if (means) document.querySelector<HTMLInputElement>(`input[name="background"][value="${means}"]`)!.checked = true;
    if (chosen("background") === "picture" && !ownPicture) get("picture").click();
    matchFormat();
    void renew();
  });
  get("look").addEventListener("submit", (event) => event.preventDefault());

  for (const tool of ["keep", "restore", "erase"] as const) {
    get(`tool-${tool}`).addEventListener("click", () => setTool(get(`tool-${tool}`).getAttribute("aria-pressed") === "true" ? "none" : tool));
  }
  const size = get<HTMLInputElement>("brush-size");
  size.addEventListener("input", () => stage.setBrush(Number(size.value) / 200));
  stage.onStroke = (stroke) => change((photo) => photo.strokes.push(stroke));
  stage.onPoint = (x, y) => void keepAt(x, y);
  get("undo").addEventListener("click", () => change((photo) => (photo.strokes.length ? photo.strokes.pop() : (photo.keep = []))));
  get("reset").addEventListener("click", () =>
    change((photo) => {
      photo.strokes = [];
      photo.keep = [];
    }),
  );
  window.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && !get("photos").hidden) get("undo").click();
    if (event.key === "Escape") setTool("none");
  });
  get("save").addEventListener("click", () => void save());
  get("copy").addEventListener("click", () => void copy());
  get("save-all").addEventListener("click", () => void saveAll());
  onLanguage(() => {
    queue.renew(photos, selected);
    showPeople();
  });
}

function takeDrops(): void {
  const drop = get("drop");
  for (const name of ["dragenter", "dragover"] as const) {
    window.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"] as const) window.addEventListener(name, () => drop.classList.remove("over"));
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    add([...(event.dataTransfer?.files ?? [])]);
  });
}

function add(files: File[]): void {
  const pictures = files.filter((file) => file.type.startsWith("image/") || /\.(heic|heif|avif|jxl)$/i.test(file.name));
  if (!pictures.length) return;
  say("");
  for (const file of pictures) photos.push(new Photo(crypto.randomUUID(), file));
  get("drop").hidden = true;
  get("work").hidden = false;
  queue.renew(photos, selected);
  if (!selected) void select(photos[photos.length - pictures.length]!);
  void work();
}

/** Looks at one photo after the other. */
async function work(): Promise<void> {
  if (running) return;
  running = true;
  let segmenter: Segmenter;
  try {
    segmenter = await photoSegmenter();
  } catch (error) {
    say(sentence(error));
    running = false;
    return;
  }
  for (;;) {
    // The one that is looked at goes first.
    const photo = selected?.state === "waiting" ? selected : photos.find((one) => one.state === "waiting");
    if (!photo) break;
    photo.state = "working";
    queue.renew(photos, selected);
    try {
      await photo.look(segmenter);
      photo.state = photo.people.length ? "done" : "nobody";
      await queue.thumbnail(photo, segmenter, look());
    } catch (error) {
      photo.state = "failed";
      photo.error = sentence(error);
    }
    queue.renew(photos, selected);
    if (photo === selected) {
      showPeople();
      await renew();
    }
  }
  running = false;
}

async function select(photo: Photo): Promise<void> {
  selected = photo;
  queue.renew(photos, selected);
  showPeople();
  try {
    await stage.open(photo.file);
  } catch {
    // The queue says so as soon as it gets there.
    return;
  }
  await renew();
}

function remove(photo: Photo): void {
  const index = photos.indexOf(photo);
  photos.splice(index, 1);
  queue.drop(photo);
  if (!photos.length) {
    selected = undefined;
    stage.close();
    get("drop").hidden = false;
    get("work").hidden = true;
    get("choose").focus();
  } else if (photo === selected) {
    void select(photos[Math.min(index, photos.length - 1)]!);
  }
  queue.renew(photos, selected);
}

function look(): Look {
  return { background: background(), crop: get<HTMLInputElement>("crop").checked, shadow: get<HTMLInputElement>("shadow").checked };
}

function background(): PhotoBackground {
  switch (chosen("background")) {
    case "white":
      return { color: "white" };
    case "color":
      return { color: get<HTMLInputElement>("color").value };
    case "picture":
      return ownPicture ? { image: ownPicture } : "transparent";
    case "blur": {
      const longer = selected ? Math.max(...(selected.size ?? [1000])) : 1000;
      return { blur: (Number(get<HTMLInputElement>("blur").value) / 100) * longer };
    }
    default:
      return "transparent";
  }
}

/** A JPEG can't be transparent. */
function matchFormat(): void {
  const jpeg = get("format").querySelector<HTMLOptionElement>('option[value="image/jpeg"]')!;
  jpeg.disabled = background() === "transparent";
  const format = get<HTMLSelectElement>("format");
  if (jpeg.disabled && format.value === jpeg.value) format.value = "image/png";
}

/** Makes the preview anew; what changes meanwhile is made afterwards, once. */
async function renew(): Promise<void> {
  if (rendering) {
    again = true;
    return;
  }
  rendering = true;
  try {
    do {
      again = false;
      const photo = selected;
      if (!photo || (photo.state !== "done" && photo.state !== "nobody")) break;
      const segmenter = await photoSegmenter();
      const rendered = await photo.render(segmenter, look());
      if (photo === selected) stage.show(rendered);
      else (rendered.picture as ImageBitmap).close();
    } while (again);
    say("");
  } catch (error) {
    say(sentence(error));
  } finally {
    rendering = false;
  }
}

function change(edit: (photo: Photo) => void): void {
  if (!selected) return;
  edit(selected);
  showPeople();
  queue.renew(photos, selected);
  void renew();
}

function setTool(tool: Tool): void {
  stage.setTool(tool);
  for (const name of ["keep", "restore", "erase"]) get(`tool-${name}`).setAttribute("aria-pressed", String(name === tool));
}

async function keepAt(x: number, y: number): Promise<void> {
  const photo = selected;
  if (!photo || photo.state !== "done") return;
  const number = await (await photoSegmenter()).personAt(await photo.foundAlpha(), x, y);
  if (number !== undefined) change((one) => (one.keep = [number]));
}

function showPeople(): void {
  const text = get("people-text");
  const row = get("people");
  row.replaceChildren();
  const note = get("stage-text");
  note.hidden = true;
  text.textContent = "";
  const edited = !!selected && (selected.strokes.length > 0 || selected.keep.length > 0);
  for (const id of ["undo", "reset"]) get<HTMLButtonElement>(id).disabled = !edited;
  if (!selected) return;
  if (selected.state === "nobody" || selected.state === "failed") {
    note.textContent = selected.state === "nobody" ? t("nobodyHere") : selected.error;
    note.hidden = false;
  }
  if (selected.people.length < 2) return;
  text.textContent = t("peopleFound", { count: selected.people.length });
  const button = (label: string, keep: number[]): void => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.setAttribute("aria-pressed", String(selected!.keep.join() === keep.join()));
    made.addEventListener("click", () => change((photo) => (photo.keep = keep)));
    row.append(made);
  };
  button(t("everybody"), []);
  for (const person of selected.people) button(t("person", { number: person.number }), [person.number]);
}

function format(): string {
  return get<HTMLSelectElement>("format").value;
}

async function save(): Promise<void> {
  const photo = selected;
  if (!photo || (photo.state !== "done" && photo.state !== "nobody")) return;
  try {
    const { picture } = await photo.render(await photoSegmenter(), look(), format());
    saveBlob(picture as Blob, photo.fileName(format()));
    get("queue-text").textContent = t("saved", { name: photo.fileName(format()) });
  } catch (error) {
    say(sentence(error));
  }
}

async function copy(): Promise<void> {
  const photo = selected;
  if (!photo || photo.state !== "done") return;
  try {
    const picture = photoSegmenter().then(async (segmenter) => (await photo.render(segmenter, look(), "image/png")).picture as Blob);
    await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
    get("queue-text").textContent = t("copied");
  } catch {
    say(t("copyFails"));
  }
}

async function saveAll(): Promise<void> {
  const button = get<HTMLButtonElement>("save-all");
  button.disabled = true;
  try {
    const segmenter = await photoSegmenter();
    const ready = photos.filter((photo) => photo.state === "done");
    const zip = new Zip();
    for (const [index, photo] of ready.entries()) {
      get("queue-text").textContent = t("zipping", { done: index, all: ready.length });
      const { picture } = await photo.render(segmenter, look(), format());
      if (zip.size + (picture as Blob).size > ZIP_LIMIT) throw new Error(t("zipTooLarge"));
      await zip.add({ name: photo.fileName(format()), blob: picture as Blob });
    }
    if (ready.length) saveBlob(zip.finish(), "standout.zip");
    get("queue-text").textContent = t("saved", { name: "standout.zip" });
  } catch (error) {
    say(sentence(error));
  } finally {
    button.disabled = false;
  }
}
