/** The webcam side of the page. */
import { type LiveStats, type VideoBackground, type VirtualStream, virtualBackground } from "../src/index";
import { chosen, get, say, sentence } from "./dom";
import { ENGINE, counting, settled } from "./engine";
import { type Key, onLanguage, t } from "./i18n";

let camera: MediaStream | undefined;
let shown: VirtualStream | undefined;
let paused = false;
let state: Key = "webcamIdle";
let stats: LiveStats | undefined;
let file: File | undefined;
let recorder: MediaRecorder | undefined;
/** Whether a recording waits to be saved. */
let unsaved = false;
let popped: Window | null = null;
/** Counts starts: what a start that was overtaken still brings is thrown away. */
let turn = 0;

const view = (): HTMLVideoElement => get<HTMLVideoElement>("view");

export function startWebcam(): void {
  get("cam-start").addEventListener("click", () => void (camera ? stop() : start()));
  get("cam-pause").addEventListener("click", () => setPaused(!paused));
  get("cam-record").addEventListener("click", record);
  get("cam-pop").addEventListener("click", popOut);
  get("cam-file").addEventListener("click", () => (unsaved = false));
  get("cam-full").addEventListener("click", () => void get("screen").requestFullscreen?.().catch(() => {}));
  get("cam-mirror").addEventListener("input", mirror);
  get("cam-look").addEventListener("submit", (event) => event.preventDefault());
  get("cam-look").addEventListener("input", (event) => {
    const input = event.target as HTMLInputElement;
    if (input.id === "cam-device" || input.id === "cam-size") {
      if (camera) void restart();
      return;
    }
    if (input.id === "cam-picture") file = input.files?.[0];
    const means = { "cam-color": "color", "cam-blur": "blur", "cam-picture": "file" }[input.id];
    if (means) document.querySelector<HTMLInputElement>(`input[name="cam-background"][value="${means}"]`)!.checked = true;
    if (chosen("cam-background") === "file" && !file) get("cam-picture").click();
    void showBackground();
  });
  navigator.mediaDevices?.addEventListener("devicechange", () => void listCameras());
  onLanguage(tell);
  mirror();
  void listCameras();
}

async function showBackground(): Promise<void> {
  const wanted = background();
  try {
    await shown?.setBackground(wanted);
    say("behind", "");
  } catch (error) {
    say("behind", sentence(error));
  }
}

async function listCameras(): Promise<void> {
  const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const select = get<HTMLSelectElement>("cam-device");
  const before = select.value;
  select.replaceChildren(
    ...devices
      .filter((device) => device.kind === "videoinput")
      .map((device, index) => new Option(device.label || `${t("camera")} ${index + 1}`, device.deviceId)),
  );
  if ([...select.options].some((option) => option.value === before)) select.value = before;
}

async function start(): Promise<void> {
  const mine = ++turn;
  say("camera", "");
  setState("starting");
  get<HTMLButtonElement>("cam-start").disabled = true;
  try {
    const [width = 640, height = 360] = get<HTMLSelectElement>("cam-size").value.split("x").map(Number);
    const deviceId = get<HTMLSelectElement>("cam-device").value;
    const opened = await openCamera({
      width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 30 }, ...(deviceId ? { deviceId } : {}),
    });
    camera = opened;
    void listCameras();
    await settled();
    const counter = counting("webcam");
    const stream = await virtualBackground(opened, {
      background: background(), wasmPath: ENGINE, onProgress: counter.onProgress,
      onStats: (figures) => {
        if (mine !== turn) return;
        stats = figures;
        if (figures.state === "live") say("frames", "");
        tell();
      },
      onError: (message) => say("frames", message),
      ...testOptions(),
    });
    counter.done();
    if (mine !== turn) {
      stream.close();
      return;
    }
    shown = stream;
    view().srcObject = shown;
    opened.getVideoTracks()[0]!.addEventListener("ended", () => {
      if (mine !== turn) return;
      stop();
      say("camera", t("cameraGone"));
    });
    setState("live");
  } catch (error) {
    stop();
    say("camera", sentence(error));
  } finally {
    get<HTMLButtonElement>("cam-start").disabled = false;
    tell();
  }
}

/**
 * The camera's stream.
 *
 * @throws Error with a sentence that says what to do.
 */
async function openCamera(video: MediaTrackConstraints): Promise<MediaStream> {
  // Browsers take the whole interface away from pages that came over plain http.
  if (!isSecureContext) throw new Error(t("cameraNeedsHttps"));
  try {
    return await navigator.mediaDevices.getUserMedia({ video });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    const key = CAMERA_ERRORS[name];
    throw new Error(key ? t(key) : t("noCamera", { why: sentence(error) }));
  }
}

/** Names of `getUserMedia`'s errors, and what to say; their own words differ from browser to browser. */
const CAMERA_ERRORS: Readonly<Record<string, Key>> = {
  NotAllowedError: "cameraDenied", SecurityError: "cameraDenied", NotFoundError: "cameraAbsent", OverconstrainedError: "cameraAbsent",
  NotReadableError: "cameraBusy", AbortError: "cameraBusy",
};

/** `?transport=canvas&compositor=cpu`: what other browsers do, to try it in this one. */
function testOptions(): { transport?: "canvas"; compositor?: "cpu" | "webgl2"; every?: number; threads?: number } {
  const asked = new URLSearchParams(location.search);
  const compositor = asked.get("compositor");
  return {
    ...(asked.get("transport") === "canvas" ? { transport: "canvas" as const } : {}),
    ...(compositor === "cpu" || compositor === "webgl2" ? { compositor } : {}),
    ...(asked.has("every") ? { every: Number(asked.get("every")) } : {}),
    ...(asked.has("threads") ? { threads: Number(asked.get("threads")) } : {}),
  };
}

function stop(): void {
  turn++;
  if (recorder) record();
  for (const about of ["behind", "frames"] as const) say(about, "");
  shown?.close();
  for (const track of camera?.getTracks() ?? []) track.stop();
  camera = shown = undefined;
  stats = undefined;
  paused = false;
  view().srcObject = null;
  popped?.close();
  setState("webcamIdle");
}

async function restart(): Promise<void> {
  stop();
  await start();
}

function background(): VideoBackground {
  switch (chosen("cam-background")) {
    case "color":
      return { color: get<HTMLInputElement>("cam-color").value };
    case "none":
      return "none";
    case "file":
      return file ? fileBackground(file) : "blur";
    default:
      return { blur: Number(get<HTMLInputElement>("cam-blur").value) };
  }
}

function fileBackground(chosenFile: File): VideoBackground {
  if (!chosenFile.type.startsWith("video/")) return { image: chosenFile };
  const video = document.createElement("video");
  video.src = URL.createObjectURL(chosenFile);
  return { video };
}

function setPaused(wanted: boolean): void {
  paused = wanted;
  shown?.setPaused(paused);
  setState(paused ? "paused" : "live");
}

function mirror(): void {
  view().classList.toggle("mirrored", get<HTMLInputElement>("cam-mirror").checked);
}

function setState(next: Key): void {
  state = next;
  tell();
}

function tell(): void {
  const on = !!shown;
  for (const id of ["cam-pause", "cam-record", "cam-pop", "cam-full"]) get<HTMLButtonElement>(id).disabled = !on;
  get("cam-start").textContent = t(camera ? "stop" : "start");
  get("cam-pause").textContent = t(paused ? "resume" : "pause");
  get("cam-pause").setAttribute("aria-pressed", String(paused));
  get("cam-record").textContent = t(recorder ? "stopRecording" : "record");
  get("cam-record").setAttribute("aria-pressed", String(!!recorder));
  get("screen-text").textContent = t(state);
  get("screen-text").hidden = state === "live" || state === "paused";
  get("cam-state").textContent = state === "live" || state === "paused" ? t(state) : "";
  const { fps = 0, age = 0, ageP95 = 0, network = 0, width = 0, height = 0 } = stats ?? {};
  get("cam-stats").textContent = stats && on
    ? t("stats", {
        fps: fps.toFixed(0), age: age.toFixed(0), p95: ageP95.toFixed(0), network: network.toFixed(0), width, height,
        how: `${t(shown!.transport === "streams" ? "howStreams" : "howCanvas")}, ${stats.compositor === "webgl2" ? "WebGL2" : "CPU"}`,
      })
    : "";
}

/** Whether something is recorded, or was and hasn't been saved. */
export function hasUnsavedRecording(): boolean {
  return !!recorder || unsaved;
}

function record(): void {
  if (recorder) {
    recorder.stop();
    recorder = undefined;
    tell();
    return;
  }
  if (!shown) return;
  const type = ["video/mp4;codecs=avc1", "video/webm;codecs=vp9", "video/webm"].find((one) => MediaRecorder.isTypeSupported(one));
  const parts: Blob[] = [];
  const made = new MediaRecorder(shown, type ? { mimeType: type } : {});
  made.addEventListener("dataavailable", (event) => parts.push(event.data));
  made.addEventListener("stop", () => {
    const video = new Blob(parts, { type: made.mimeType });
    const link = get<HTMLAnchorElement>("cam-file");
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(video);
    link.download = `standout.${video.type.includes("mp4") ? "mp4" : "webm"}`;
    link.textContent = t("recordingSaved", { size: (video.size / 1e6).toFixed(1) });
    link.hidden = false;
    unsaved = true;
  });
  made.start(1000);
  recorder = made;
  tell();
}

/** A window with nothing but the picture, to be shared. */
function popOut(): void {
  popped?.close();
  popped = window.open("", "standout", "popup,width=960,height=540");
  if (!popped || !shown) return;
  const { document: page } = popped;
  page.title = "Standout";
  page.documentElement.lang = document.documentElement.lang;
  page.body.style.margin = "0";
  page.body.style.background = "#000";
  const video = page.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.style.cssText = "width:100vw;height:100vh;object-fit:contain;display:block";
  video.srcObject = shown;
  page.body.replaceChildren(video);
  void video.play();
}

/** For tests: the running stream. */
export function runningStream(): VirtualStream | undefined {
  return shown;
}
