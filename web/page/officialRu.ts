/** Official photos in Russian: titles of the specifications, and the rules with what was measured. */

export interface Rule {
  readonly rule: string;
  readonly status: "pass" | "fail" | "unknown";
  readonly words: string;
  readonly measured: { readonly value: number; readonly from: number; readonly to: number } | null;
  readonly allowed: { readonly min: number | null; readonly max: number | null } | null;
  readonly unit: string;
}

const TITLES: Readonly<Record<string, string>> = {
  "au-passport": "Австралия, паспорт", "br-passport": "Бразилия, паспорт (5 × 7 см, где нужно фото)", "br-visa": "Бразилия, электронная виза (2 × 2 дюйма)",
  "ca-passport": "Канада, паспорт (печать)", "ca-visa": "Канада, виза (временное проживание)", "cn-driving-license": "Китай, водительские права",
  "cn-id-card": "Китай, удостоверение личности", "cn-one-inch": "Китай, фото в один дюйм (25 × 35 мм) для анкет и резюме",
  "cn-passport": "Китай, паспорт (печать, в консульствах)", "cn-visa": "Китай, виза (печать)", "cn-visa-online": "Китай, виза (файл)",
  "de-id-card": "Германия, удостоверение личности (Personalausweis)", "de-passport": "Германия, паспорт", "es-id-card": "Испания, удостоверение личности (DNI)",
  "fi-passport": "Финляндия, паспорт и удостоверение личности (печать)", "fi-passport-upload": "Финляндия, паспорт и удостоверение личности (файл)",
  "fr-id-card": "Франция, удостоверение личности (CNI)", "fr-passport": "Франция, паспорт", "fr-visa": "Франция, виза (France-Visas)",
  "icao-35x45": "ИКАО Doc 9303, портрет 35 × 45 мм (для паспортов без своих требований)", "ie-passport": "Ирландия, паспорт (печать)",
  "in-passport": "Индия, паспорт (Passport Seva, файл)", "in-visa": "Индия, виза (файл и 2 × 2 дюйма)", "jp-cv": "Япония, резюме (рирэкисё)",
  "jp-driving-license": "Япония, водительские права", "jp-passport": "Япония, паспорт", "kr-passport": "Южная Корея, паспорт",
  "kz-passport": "Казахстан, паспорт и удостоверение личности", "kz-visa": "Казахстан, виза", "mx-passport": "Мексика, паспорт (где нужно фото)",
  "ng-passport": "Нигерия, паспорт (файл)", "nl-driving-license": "Нидерланды, водительские права",
  "nl-passport": "Нидерланды, паспорт и удостоверение личности", "nz-visa": "Новая Зеландия, виза и NZeTA (файл)",
  "pl-passport": "Польша, паспорт и удостоверение личности", "ru-passport": "Россия, внутренний паспорт (35 × 45 мм)",
  "ru-travel-passport": "Россия, заграничный паспорт (35 × 45 мм)", "sa-visa": "Саудовская Аравия, туристическая виза (файл)",
  "schengen-visa": "Страны Шенгена, виза", "sg-passport": "Сингапур, паспорт и удостоверение личности (файл)",
  "tr-passport": "Турция, паспорт, удостоверение личности и права (биометрическое фото)", "uk-passport": "Великобритания, паспорт (печать)",
  "us-dv-lottery": "США, лотерея Diversity Visa (файл)", "us-passport": "США, паспорт (печать)", "us-visa": "США, виза (файл DS-160 и печать 2 × 2 дюйма)",
  "vn-passport": "Вьетнам, паспорт",
};

type Verdicts = Readonly<Partial<Record<Rule["status"], string>>>;

/** Each rule's name, and what is said beside the figures. */
const RULES: Readonly<Record<string, readonly [string, Verdicts]>> = {
  "one face": ["одно лицо", {
    pass: "в кадре одно лицо", fail: "в кадре есть ещё одно лицо, поменьше", unknown: "на фото есть лицо поменьше; посмотрите, закрыл ли его новый фон",
  }],
  "head size": ["размер головы", {}], "eye line": ["линия глаз", {}], "space above head": ["место над головой", {}],
  "space below chin": ["место под подбородком", {}], "pupil distance": ["расстояние между зрачками", {}],
  tilt: ["наклон", { pass: "линия глаз выровнена", unknown: "линия глаз выровнена, но теперь наклонены плечи: снимите прямее" }],
  "facing camera": ["взгляд в камеру", { fail: "голова повёрнута в сторону", unknown: "по пяти точкам не видно, прямо ли стоит голова" }],
  "whole head": ["голова целиком", {
    pass: "голова не обрезана", fail: "верх головы обрезан краем фото: снимите ещё раз, оставив место сверху", unknown: "волосы или рука доходят до края",
  }],
  "room around": ["место вокруг", { pass: "человек не обрезан краем фото", fail: "фото слишком тесное: снимите с большего расстояния" }],
  background: ["фон", {
    pass: "фон одного цвета", fail: "фон неровный, и это видно", unknown: "ровный ли фон, сказать нельзя: источники не называют чисел",
  }],
  "unaltered background": ["фон без изменений", {
    pass: "с фоном сделано то, что разрешено", fail: "здесь запрещены изменённые фото: снимите у ровной стены и оставьте свой фон",
    unknown: "фон заменён; источники не говорят, можно ли это",
  }],
  outline: ["контур", { pass: "сеть уверена в контуре; всё же посмотрите на волосы и уши", unknown: "сеть местами не уверена в контуре: посмотрите внимательно" }],
  resolution: ["разрешение", { pass: "ничего не увеличено", fail: "фото увеличено, и разрешения не хватает", unknown: "фото увеличено" }],
  color: ["цвет", { unknown: "фото чёрно-белое; для паспортов и виз нужны цветные" }],
  "file size": ["размер файла", {}],
  compression: ["сжатие", { unknown: "чтобы уложиться в размер файла, фото сжато так, что видны блоки" }],
};

const UNITS: Readonly<Record<string, string>> = { mm: "мм", px: "пикс.", KB: "КБ" };

export function titleInRussian(name: string, title: string): string {
  return TITLES[name] ?? title;
}

/** The rule's name and its verdict; a rule that is not known here keeps the server's words. */
export function ruleInRussian({ rule, status, words, measured, allowed, unit }: Rule): [string, string] {
  const known = RULES[rule];
  if (!known) return [rule, words];
  const [name, verdicts] = known;
  const u = UNITS[unit] ?? unit;
  const figures = measured ? `${number(measured.value)} ${u} (${number(measured.from)} … ${number(measured.to)})` : "";
  const bounds = allowed && [allowed.min === null ? "" : `от ${number(allowed.min)}`, allowed.max === null ? "" : `до ${number(allowed.max)}`];
  const allow = bounds ? `допустимо ${bounds.filter(Boolean).join(" ")} ${u}` : "";
  const said = verdicts[status] ?? { pass: "соблюдено", fail: "не соблюдено", unknown: "точно сказать нельзя" }[status];
  return [name, [figures, allow, said].filter(Boolean).join("; ")];
}

function number(value: number): string {
  return value.toLocaleString("ru", { maximumFractionDigits: 1 });
}
