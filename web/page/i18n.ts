/** The page's texts in English and Russian. */

const EN = {
  tabs: "What to cut out of", photos: "Photos", webcam: "Webcam", language: "Language", themeAuto: "Theme: system", themeLight: "Theme: light",
  themeDark: "Theme: dark", lead: "Cut people out of photos", choose: "Choose photos", dropHint: "or drop them here, or paste one",
  private: "Nothing is uploaded: all work is done on this device.", addMore: "Add photos", saveAll: "Save all (zip)", progress: "Progress",
  queue: "Photos", beforeAfter: "Before / after", tools: "Tools", keepOne: "Keep one person", restore: "Restore brush", erase: "Erase brush",
  brushSize: "Brush", undo: "Undo", resetEdits: "Undo all", background: "Background", transparent: "Transparent", white: "White", color: "Color",
  ownPicture: "Own picture", ownPictureOrVideo: "Own picture or video", blur: "Blur", showRoom: "None: show the room", pickColor: "Color",
  blurStrength: "Blur", backgroundFile: "File for the background", result: "Result", crop: "Crop to the person", shadow: "Shadow", format: "Format", save: "Save",
  copy: "Copy", official: "Official photo", specification: "Specification", officialMake: "Make it and check the rules",
  officialNeedsServer: "Official photos are checked by a server: run “standout serve” on this computer and open its page. This page has none.",
  officialReady: "The photo goes to the Standout server of this page, and nowhere else.", officialBusy: "Being made …",
  rulesKept: "All rules that can be measured are kept.", rulesBroken: "Rules that are not kept: {count}.",
  waiting: "waiting", working: "working …", done: "done", nobody: "nobody found", failed: "failed", keptOf: "person {number} kept",
  queueText: "{done} of {all} done", nobodyHere: "Nobody was found in this photo. With the restore brush you can mark somebody.",
  peopleFound: "People found: {count}. Press a number to keep only that person, or click them with “Keep one person”.", everybody: "Everybody",
  person: "Person {number}", remove: "Remove {name}", zipping: "Packing {done} of {all} …", saved: "Saved: {name}",
  copied: "Copied.", copyFails: "This browser can't copy pictures; save it instead.",
  camera: "Camera", resolution: "Resolution", mirror: "Mirror my view", start: "Start camera", stop: "Stop camera", pause: "Pause", resume: "Resume",
  record: "Record", stopRecording: "Stop recording", popOut: "Pop out", fullScreen: "Full screen", webcamView: "Your camera with another background",
  webcamIdle: "The camera is off. What it sees stays on this device.", starting: "Starting …", live: "Live", paused: "Paused: others see a plain picture.",
  stats: "{fps} frames/s · age {age} ms (95 %: {p95} ms) · network {network} ms · {width} × {height} · {how}",
  howStreams: "streams in a worker", howCanvas: "canvas", noCamera: "No camera can be used: {why}", recordingSaved: "Save the recording ({size} MB)",
  cameraGone: "The camera went away.", footer: "Standout is free software under Apache-2.0.", downloaded: "Downloaded: {size} MB.",
  downloading: "Downloading the network: {size} MB …", offline: "Works offline.", offlineNot: "To work offline it must come from https:// or localhost.", notSupported: "This browser is too old: it has no {what}.",
  compareKeys: "Slide to compare with the original",
  queueNobody: "{count} without anybody", queueFailed: "{count} failed", savedAll: "Saved: {name} ({count})",
  notPacked: "Not in the zip, because it couldn't be finished: {names}", notPictures: "No pictures, so left out: {names}",
  noFiles: "What was dropped is no file; save the picture on this device first, then drop the file.",
  copyNeedsHttps: "Browsers let a page copy pictures only from https:// and from this computer (localhost); save it instead.",
  cameraNeedsHttps:
    "Browsers give a camera only to pages from https:// and from this computer (localhost); this one came over http from another computer. " +
    "Photos work here; for the camera put the page on an https host (standout page), or open it on the computer that serves it.",
  cameraDenied: "The camera is blocked for this page: allow it by the sign at the left of the address bar, or in the system's settings, then start again.",
  cameraAbsent: "No such camera was found: connect one, or choose another one, then start again.",
  cameraBusy: "The camera can't be read; another program may be using it: close that one, then start again.",
  officialNeedsKey: "The server of this page asks for a key; its operator has it.", serverKey: "Key of the server", serverKeyUse: "Use the key",
  serverKeyWrong: "The server doesn't know this key; check it, then try again.",
};

export type Key = keyof typeof EN;

const RU: Record<Key, string> = {
  tabs: "Откуда вырезать", photos: "Фотографии", webcam: "Веб-камера", language: "Язык", themeAuto: "Тема: как в системе", themeLight: "Тема: светлая",
  themeDark: "Тема: тёмная", lead: "Вырезать людей с фотографий", choose: "Выбрать фотографии", dropHint: "или перетащите их сюда, или вставьте из буфера",
  private: "Ничего не отправляется: всё делается на этом устройстве.", addMore: "Добавить фото", saveAll: "Сохранить все (zip)", progress: "Ход работы",
  queue: "Фотографии", beforeAfter: "До / после", tools: "Инструменты", keepOne: "Оставить одного", restore: "Кисть: вернуть", erase: "Кисть: стереть",
  brushSize: "Кисть", undo: "Отменить", resetEdits: "Отменить всё", background: "Фон", transparent: "Прозрачный", white: "Белый", color: "Цвет",
  ownPicture: "Своя картинка", ownPictureOrVideo: "Своя картинка или видео", blur: "Размытие", showRoom: "Без замены: видна комната", pickColor: "Цвет",
  blurStrength: "Размытие", backgroundFile: "Файл для фона", result: "Результат", crop: "Обрезать по человеку", shadow: "Тень", format: "Формат", save: "Сохранить",
  copy: "Копировать", official: "Фото на документы", specification: "Требования", officialMake: "Сделать и проверить правила",
  officialNeedsServer: "Фото на документы проверяет сервер: запустите «standout serve» на этом компьютере и откройте его страницу. У этой страницы сервера нет.",
  officialReady: "Фото уходит на сервер Standout этой страницы и больше никуда.", officialBusy: "Готовится …",
  rulesKept: "Все правила, которые можно измерить, соблюдены.", rulesBroken: "Не соблюдено правил: {count}.",
  waiting: "ждёт", working: "в работе …", done: "готово", nobody: "никого нет", failed: "не вышло", keptOf: "оставлен человек {number}",
  queueText: "Готово {done} из {all}", nobodyHere: "На этой фотографии никого не найдено. Кистью «вернуть» можно отметить человека.",
  peopleFound: "Найдено людей: {count}. Нажмите номер, чтобы оставить одного, или щёлкните по нему с «Оставить одного».", everybody: "Все",
  person: "Человек {number}", remove: "Убрать {name}", zipping: "Упаковано {done} из {all} …", saved: "Сохранено: {name}",
  copied: "Скопировано.", copyFails: "Этот браузер не копирует картинки; сохраните файл.",
  camera: "Камера", resolution: "Разрешение", mirror: "Моё изображение как в зеркале", start: "Включить камеру", stop: "Выключить камеру", pause: "Пауза", resume: "Продолжить",
  record: "Записать", stopRecording: "Остановить запись", popOut: "В отдельном окне", fullScreen: "Во весь экран", webcamView: "Ваша камера с другим фоном",
  webcamIdle: "Камера выключена. Что она видит, остаётся на этом устройстве.", starting: "Запуск …", live: "Идёт", paused: "Пауза: другие видят пустую картинку.",
  stats: "{fps} кадров/с · возраст {age} мс (95 %: {p95} мс) · сеть {network} мс · {width} × {height} · {how}",
  howStreams: "потоки в воркере", howCanvas: "canvas", noCamera: "Камерой нельзя воспользоваться: {why}", recordingSaved: "Сохранить запись ({size} МБ)",
  cameraGone: "Камера отключилась.", footer: "Standout — свободная программа под Apache-2.0.", downloaded: "Загружено: {size} МБ.",
  downloading: "Загружается сеть: {size} МБ …", offline: "Работает без интернета.", offlineNot: "Чтобы работать без интернета, страница должна прийти с https:// или localhost.", notSupported: "Этот браузер слишком старый: в нём нет {what}.",
  compareKeys: "Двигайте, чтобы сравнить с исходным фото",
  queueNobody: "без людей: {count}", queueFailed: "не вышло: {count}", savedAll: "Сохранено: {name} ({count})",
  notPacked: "Не вошли в архив, потому что не вышло закончить: {names}", notPictures: "Это не картинки, они пропущены: {names}",
  noFiles: "Это не файл: сначала сохраните картинку на устройстве, потом перетащите файл.",
  copyNeedsHttps: "Копировать картинки браузеры разрешают только страницам с https:// и с этого компьютера (localhost); сохраните файл.",
  cameraNeedsHttps:
    "Браузеры дают камеру только страницам с https:// и с этого компьютера (localhost), а эта пришла по http с другого компьютера. " +
    "Фотографии здесь работают; для камеры положите страницу на сайт с https (standout page) или откройте её на том компьютере, где работает сервер.",
  cameraDenied: "Камера запрещена для этой страницы: разрешите её значком слева в адресной строке или в настройках системы и включите снова.",
  cameraAbsent: "Такой камеры нет: подключите её или выберите другую и включите снова.",
  cameraBusy: "Камера не отвечает; возможно, её занимает другая программа: закройте её и включите снова.",
  officialNeedsKey: "Сервер этой страницы просит ключ; он есть у того, кто ведёт сервер.", serverKey: "Ключ сервера", serverKeyUse: "Применить ключ",
  serverKeyWrong: "Сервер не знает этого ключа; проверьте его и попробуйте ещё раз.",
};

export type Language = "en" | "ru";
const TEXTS: Record<Language, Record<Key, string>> = { en: EN, ru: RU };

let language: Language = "en";
const listeners: (() => void)[] = [];

export function t(key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  return TEXTS[language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

export function currentLanguage(): Language {
  return language;
}

/** Called after each change of the language, to renew what isn't marked in the document. */
export function onLanguage(listener: () => void): void {
  listeners.push(listener);
}

export function setLanguage(wanted: Language): void {
  language = wanted;
  document.documentElement.lang = wanted;
  for (const element of document.querySelectorAll<HTMLElement>("[data-t]")) element.textContent = t(element.dataset["t"] as Key);
  for (const element of document.querySelectorAll<HTMLElement>("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset["tLabel"] as Key));
  }
  for (const listener of listeners) listener();
}

/** The language that the visitor chose, else the browser's. */
export function preferredLanguage(): Language {
  const kept = read("language");
  if (kept === "en" || kept === "ru") return kept;
  return navigator.languages.some((tag) => tag.startsWith("ru")) ? "ru" : "en";
}

/** Storage may be forbidden: then nothing is remembered. */
export function read(key: string): string | null {
  try {
    return localStorage.getItem(`standout.${key}`);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`standout.${key}`, value);
  } catch {
    // Nothing is lost but the memory of it.
  }
}
