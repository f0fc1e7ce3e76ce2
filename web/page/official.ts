/** Official photos: made and checked by the Standout server that this page came from, if it came from one. */
import { get, saveBlob, say, sentence } from "./dom";
import { onLanguage, t } from "./i18n";
import { selectedPhoto } from "./photos";

interface Spec {
  readonly name: string;
  readonly title: string;
}

interface Rule {
  readonly rule: string;
  readonly status: "pass" | "fail" | "can't tell";
  readonly words: string;
}

interface Answer {
  readonly image: string;
  readonly media_type: string;
  readonly report: { readonly rules: readonly Rule[]; readonly failed: readonly string[] };
}

let specs: readonly Spec[] | undefined;
let picture: Blob | undefined;

export function startOfficial(): void {
  get("official").addEventListener("toggle", () => void find(), { once: true });
  get("official-make").addEventListener("click", () => void make());
  get("official-save").addEventListener("click", (event) => {
    event.preventDefault();
    if (picture) saveBlob(picture, `official.${picture.type.replace("image/", "").replace("jpeg", "jpg")}`);
  });
  onLanguage(tell);
}

/** Whether there is a server behind this page. */
async function find(): Promise<void> {
  try {
    const response = await fetch(new URL("./v1/specs", document.baseURI));
    specs = response.ok ? ((await response.json()) as { specs: Spec[] }).specs : undefined;
  } catch {
    specs = undefined;
  }
  const select = get<HTMLSelectElement>("spec");
  for (const spec of specs ?? []) select.append(new Option(spec.title, spec.name));
  tell();
}

function tell(): void {
  get("official-form").hidden = !specs;
  get("official-text").textContent = t(specs ? "officialReady" : "officialNeedsServer");
}

async function make(): Promise<void> {
  const photo = selectedPhoto();
  if (!photo) return;
  get("official-text").textContent = t("officialBusy");
  const form = new FormData();
  form.append("image", photo.file);
  form.append("spec", get<HTMLSelectElement>("spec").value);
  form.append("format", "json");
  try {
    const response = await fetch(new URL("./v1/id-photo", document.baseURI), { method: "POST", body: form });
    const answer = (await response.json()) as Answer & { detail?: string; title?: string };
    if (!response.ok) throw new Error(answer.detail ?? answer.title ?? `${response.status}`);
    show(answer);
  } catch (error) {
    tell();
    say(sentence(error));
  }
}

function show(answer: Answer): void {
  const bytes = Uint8Array.from(atob(answer.image), (letter) => letter.charCodeAt(0));
  picture = new Blob([bytes], { type: answer.media_type });
  const image = get<HTMLImageElement>("official-picture");
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(picture);
  image.alt = t("official");
  image.hidden = false;
  const link = get<HTMLAnchorElement>("official-save");
  link.href = image.src;
  link.hidden = false;
  const { rules, failed } = answer.report;
  get("official-text").textContent = failed.length ? t("rulesBroken", { count: failed.length }) : t("rulesKept");
  get("rules").replaceChildren(
    ...rules.map((rule) => {
      const item = document.createElement("li");
      item.className = { pass: "", fail: "bad", "can't tell": "unknown" }[rule.status];
      const name = document.createElement("strong");
      name.textContent = rule.rule.replaceAll(/[-_]/g, " ");
      item.append(name, `: ${rule.words}`);
      return item;
    }),
  );
}
