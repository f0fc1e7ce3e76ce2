/** The photo side of the page: the queue, the look, saving. */
import type { PhotoBackground, Segmenter } from "../src/index";
import { chosen, get, say, sentence } from "./dom";
import { photoSegmenter } from "./engine";
import { onLanguage, t } from "./i18n";
import { type Look, Photo } from "./photoList";
import { QueueView } from "./queueView";
import { type Work, showSavable, startSaving } from "./saving";
import { Stage, type Tool } from "./stage";

const photos: Photo[] = [];
let selected: Photo | undefined;
let running = false;
let rendering: Promise<void> | undefined;
let again = false;
let count = 0;
let opening: Promise<void> = Promise.resolve();
let ownPicture: File | undefined;
let stage: Stage;
let queue: QueueView;

export function selectedPhoto(): Photo | undefined {
  return selected;
}

/** Whether there is a picture that would be lost. */
export function hasUnsavedPhotos(): boolean {
  return running || photos.some((photo) => photo.isSavable && !photo.isSaved);
}

const work: Work = { photos, selected: () => selected, look, failed: fail };

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
    for (const photo of photos) photo.isSaved = false;
    void renew();
  });
  get("look").addEventListener("submit", (event) => event.preventDefault());

  for (const tool of ["keep", "restore", "erase"] as const) {
    get(`tool-${tool}`).addEventListener("click", () => setTool(get(`tool-${tool}`).getAttribute("aria-pressed") === "true" ? "none" : tool));
  }
  const size = get<HTMLInputElement>("brush-size");
  const brush = (): void => stage.setBrush(Number(size.value) / 200);
  size.addEventListener("input", brush);
  brush();
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
  startSaving(work);
  onLanguage(tell);
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
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length) add(files);
    else say("files", t("noFiles"));
  });
}

function add(files: File[]): void {
  if (!files.length) return;
  // One whose kind the browser doesn't know may be a picture: reading it will tell.
  const pictures = files.filter((file) => !file.type || file.type.startsWith("image/"));
  const others = files.filter((file) => !pictures.includes(file)).map((file) => file.name);
  const names = others.slice(0, 3).join(", ") + (others.length > 3 ? ` + ${others.length - 3}` : "");
  say("files", others.length ? t("notPictures", { names }) : "");
  if (!pictures.length) return;
  for (const file of pictures) photos.push(new Photo(String(++count), file));
  get("drop").hidden = true;
  get("work").hidden = false;
  if (selected) tell();
  else void select(photos[photos.length - pictures.length]!);
  void lookAtAll();
}

/** Looks at one photo after the other. */
async function lookAtAll(): Promise<void> {
  if (running) return;
  running = true;
  try {
    const segmenter = await photoSegmenter();
    say("network", "");
    for (;;) {
      // The one that is shown goes first.
      const photo = selected?.state === "waiting" ? selected : photos.find((one) => one.state === "waiting");
      if (!photo) break;
      await lookAt(photo, segmenter);
      tell();
    }
  } catch (error) {
    say("network", sentence(error));
  }
  running = false;
}

/** It counts as done when it is seen: in the list, and on the stage if it is there. */
async function lookAt(photo: Photo, segmenter: Segmenter): Promise<void> {
  photo.state = "working";
  tell();
  try {
    await photo.look(segmenter);
    // It may have been removed meanwhile.
    if (photos.includes(photo)) await queue.thumbnail(photo, segmenter, look());
    if (photo === selected) await renew();
    photo.state = photo.people.length ? "done" : "nobody";
  } catch (error) {
    fail(photo, error);
  }
}

function fail(photo: Photo, error: unknown): void {
  photo.state = "failed";
  photo.error = sentence(error);
  if (photo === selected) stage.clear();
  tell();
}

async function select(photo: Photo): Promise<void> {
  selected = photo;
  say("photo", "");
  // Whoever was there before is gone at once. A file that is no picture is named by the list as soon as it gets there.
  opening = stage.open(photo.file).catch(() => {});
  tell();
  void lookAtAll();
  await renew();
  tell();
}

function remove(photo: Photo): void {
  const index = photos.indexOf(photo);
  photos.splice(index, 1);
  queue.drop(photo);
  if (!photos.length) {
    selected = undefined;
    stage.clear();
    get("drop").hidden = false;
    get("work").hidden = true;
    get("choose").focus();
  } else if (photo === selected) {
    void select(photos[Math.min(index, photos.length - 1)]!);
  }
  tell();
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

/** Makes the preview anew; what changes meanwhile is made afterwards, once. Done when the stage shows the latest. */
function renew(): Promise<void> {
  again = true;
  rendering ??= renderLatest();
  return rendering;
}

async function renderLatest(): Promise<void> {
  await Promise.resolve();
  while (again) {
    again = false;
    const photo = selected;
    await opening;
    if (!photo?.isFound || photo.state === "failed") continue;
    try {
      const rendered = await photo.render(await photoSegmenter(), look());
      if (photo === selected) stage.show(rendered);
      else (rendered.picture as ImageBitmap).close();
      say("photo", "");
    } catch (error) {
      if (photo === selected) say("photo", sentence(error));
    }
  }
  rendering = undefined;
}

function change(edit: (photo: Photo) => void): void {
  if (!selected) return;
  edit(selected);
  selected.isSaved = false;
  tell();
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

/** All that the page says about the photos. */
function tell(): void {
  queue.renew(photos, selected);
  showSavable(work);
  showPeople();
  const still = !selected?.isFound || selected.state === "failed";
  for (const id of ["tool-keep", "tool-restore", "tool-erase", "slider"]) get<HTMLButtonElement | HTMLInputElement>(id).disabled = still;
  const words = selected && stageWords(selected);
  get("stage-text").textContent = words ?? "";
  get("stage-text").hidden = !words;
}

function stageWords(photo: Photo): string | undefined {
  if (photo.state === "failed") return photo.error;
  if (photo.state === "nobody" && !photo.isSavable) return t("nobodyHere");
  return photo.isSavable && stage.isFinished ? undefined : t(photo.state === "waiting" ? "waiting" : "working");
}

function showPeople(): void {
  const text = get("people-text");
  const row = get("people");
  row.replaceChildren();
  text.textContent = "";
  const edited = !!selected && (selected.strokes.length > 0 || selected.keep.length > 0);
  for (const id of ["undo", "reset"]) get<HTMLButtonElement>(id).disabled = !edited;
  if (!selected || selected.people.length < 2) return;
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
