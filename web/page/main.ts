/** The page: language, theme, tabs, and the two sides. */
import { get, say } from "./dom";
import { type Key, type Language, onLanguage, preferredLanguage, read, remember, setLanguage, t } from "./i18n";
import { startOfficial } from "./official";
import { hasUnsavedPhotos, startPhotos } from "./photos";
import { warnBeforeLeaving } from "./saving";
import { hasUnsavedRecording, runningStream, startWebcam } from "./webcam";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
let theme: Theme = THEMES.find((one) => one === read("theme")) ?? "auto";

function showTheme(): void {
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  get("theme").textContent = t({ auto: "themeAuto", light: "themeLight", dark: "themeDark" }[theme] as Key);
}

function selectTab(name: string): void {
  for (const one of ["photos", "webcam"]) {
    const tab = get(`tab-${one}`);
    tab.setAttribute("aria-selected", String(one === name));
    tab.tabIndex = one === name ? 0 : -1;
    get(one).hidden = one !== name;
  }
  history.replaceState(null, "", name === "photos" ? location.pathname + location.search : `#${name}`);
}

function startTabs(): void {
  for (const name of ["photos", "webcam"]) {
    get(`tab-${name}`).addEventListener("click", () => selectTab(name));
    get(`tab-${name}`).addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = name === "photos" ? "webcam" : "photos";
      selectTab(other);
      get(`tab-${other}`).focus();
    });
  }
  if (location.hash === "#webcam") selectTab("webcam");
}

/** What the page can't do without. */
function missing(): string | undefined {
  const needs: Record<string, boolean> = {
    WebAssembly: typeof WebAssembly === "object", OffscreenCanvas: typeof OffscreenCanvas === "function",
    CompressionStream: typeof CompressionStream === "function",
  };
  return Object.keys(needs).find((name) => !needs[name]);
}

async function keepOffline(): Promise<void> {
  if (!isSecureContext) get("offline-text").dataset["t"] = "offlineNot";
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  await navigator.serviceWorker.register("./sw.js").catch(() => undefined);
  const ready = await navigator.serviceWorker.ready;
  navigator.serviceWorker.addEventListener("message", (event: MessageEvent<unknown>) => {
    if (event.data === "filled") {
      get("offline-text").dataset["t"] = "offline";
      get("offline-text").textContent = t("offline");
    }
  });
  ready.active?.postMessage("fill?");
}

startPhotos();
startOfficial();
startWebcam();
startTabs();
warnBeforeLeaving(() => hasUnsavedPhotos() || hasUnsavedRecording());
onLanguage(showTheme);
void keepOffline();
const language = get<HTMLSelectElement>("language");
language.value = preferredLanguage();
language.addEventListener("change", () => {
  remember("language", language.value);
  setLanguage(language.value as Language);
});
setLanguage(language.value as Language);
get("theme").addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  remember("theme", theme);
  showTheme();
});
const lacking = missing();
if (lacking) say("page", t("notSupported", { what: lacking }));
// The tests of the page reach the running stream here.
Object.assign(window, { standoutStream: runningStream });
