/** Official photos: made and checked by the Standout server that this page came from, if it came from one. */
import { get, saveBlob, say, sentence } from "./dom";
import { currentLanguage, onLanguage, t } from "./i18n";
import { type Rule, ruleInRussian, titleInRussian } from "./officialRu";
import { selectedPhoto } from "./photos";

interface Spec {
  readonly name: string;
  readonly title: string;
}

interface Answer {
  readonly image: string;
  readonly media_type: string;
  readonly report: { readonly rules: readonly Rule[]; readonly failed: readonly string[] };
}

/** What is known of a server behind this page. */
let server: "unknown" | "none" | "locked" | "ready" = "unknown";
let specs: readonly Spec[] = [];
let picture: Blob | undefined;
let report: Answer["report"] | undefined;

export function startOfficial(): void {
  get("official").addEventListener("toggle", () => void find(), { once: true });
  get("official-unlock").addEventListener("click", () => void find());
  get("server-key").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    void find();
  });
  get("official-make").addEventListener("click", () => void make());
  get("official-save").addEventListener("click", (event) => {
    event.preventDefault();
    if (picture) saveBlob(picture, `official.${picture.type.replace("image/", "").replace("jpeg", "jpg")}`);
  });
  onLanguage(() => {
    tell();
    tellRules();
  });
}

function headers(): Record<string, string> {
  const key = get<HTMLInputElement>("server-key").value.trim();
  return key ? { "X-Api-Key": key } : {};
}

/** Asks the server. Without credentials, or the browser would show a window for a name and a password; a proxy's question is the browser's. */
async function ask(path: string, body?: FormData): Promise<Response> {
  const init: RequestInit = { headers: headers(), credentials: "omit", ...(body ? { method: "POST", body } : {}) };
  const url = new URL(path, document.baseURI);
  const response = await fetch(url, init);
  const foreign = !response.headers.get("www-authenticate")?.includes("Standout");
  return response.status === 401 && foreign ? fetch(url, { ...init, credentials: "same-origin" }) : response;
}

/** Whether there is a server behind this page, and whether it lets us in. */
async function find(): Promise<void> {
  say("server", "");
  try {
    const response = await ask("./v1/specs");
    const kind = response.headers.get("content-type") ?? "";
    // A plain web host knows no such file, or answers everything with its start page.
    if (response.status === 404 || (response.ok && !kind.includes("json"))) server = "none";
    else if (response.ok) {
      specs = ((await response.json()) as { specs: Spec[] }).specs;
      server = "ready";
    } else await refused(response);
  } catch {
    server = "none";
  }
  tell();
}

/** A server is there and says no: in its own words, but where it wants a key there is a field for it. */
async function refused(response: Response): Promise<void> {
  const sent = "X-Api-Key" in headers();
  if (response.status === 401 || response.status === 403) server = "locked";
  if (response.status === 401 && !sent) return;
  const answer = (await response.json().catch(() => ({}))) as { detail?: string; title?: string };
  say("server", response.status === 401 ? t("serverKeyWrong") : answer.detail ?? answer.title ?? `${response.status}`);
}

function tell(): void {
  get("official-key").hidden = server !== "locked";
  get("official-form").hidden = server !== "ready";
  get("official-text").textContent = { unknown: "", none: t("officialNeedsServer"), locked: t("officialNeedsKey"), ready: t("officialReady") }[server];
  const select = get<HTMLSelectElement>("spec");
  const before = select.value;
  const russian = currentLanguage() === "ru";
  select.replaceChildren(...specs.map(({ name, title }) => new Option(russian ? titleInRussian(name, title) : title, name)));
  if (specs.some(({ name }) => name === before)) select.value = before;
}

async function make(): Promise<void> {
  const photo = selectedPhoto();
  if (!photo) return;
  say("server", "");
  get("official-text").textContent = t("officialBusy");
  const form = new FormData();
  form.append("image", photo.file);
  form.append("spec", get<HTMLSelectElement>("spec").value);
  form.append("format", "json");
  try {
    const response = await ask("./v1/id-photo", form);
    if (response.ok) show((await response.json()) as Answer);
    else {
      await refused(response);
      tell();
    }
  } catch (error) {
    tell();
    say("server", sentence(error));
  }
}

function show(answer: Answer): void {
  const bytes = Uint8Array.from(atob(answer.image), (letter) => letter.charCodeAt(0));
  picture = new Blob([bytes], { type: answer.media_type });
  const image = get<HTMLImageElement>("official-picture");
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(picture);
  image.hidden = false;
  const link = get<HTMLAnchorElement>("official-save");
  link.href = image.src;
  link.hidden = false;
  ({ report } = answer);
  tellRules();
}

function tellRules(): void {
  if (!report) return;
  const { rules, failed } = report;
  get<HTMLImageElement>("official-picture").alt = t("official");
  get("official-text").textContent = failed.length ? t("rulesBroken", { count: failed.length }) : t("rulesKept");
  const russian = currentLanguage() === "ru";
  get("rules").replaceChildren(
    ...rules.map((rule) => {
      const item = document.createElement("li");
      item.className = { pass: "", fail: "bad", unknown: "unknown" }[rule.status];
      const [name, words] = russian ? ruleInRussian(rule) : [rule.rule.replaceAll(/[-_]/g, " "), rule.words];
      const strong = document.createElement("strong");
      strong.textContent = name;
      item.append(strong, `: ${words}`);
      return item;
    }),
  );
}
