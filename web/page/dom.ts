/** The element of an id; the page is ours, so a missing one is a mistake of ours. */
export function get<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no element #${id}.`);
  return element as T;
}

/** What can go wrong, or right again, independently of the rest. */
export type Subject = "page" | "files" | "network" | "photo" | "save" | "server" | "camera" | "frames" | "behind";

const said = new Map<Subject, string>();

/** Says in one sentence what went wrong with something; an empty text takes that sentence back, and no other. */
export function say(subject: Subject, text: string): void {
  if (text) said.set(subject, text);
  else said.delete(subject);
  get("notice").textContent = [...new Set(said.values())].join("\n");
  get("notice").hidden = !said.size;
}

export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Hands a file to the visitor. */
export function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The chosen value of a group of radio buttons. */
export function chosen(name: string): string {
  return document.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`)?.value ?? "";
}

/** A name that no other file has: one that is taken gets a number before its ending. */
export function unique(name: string, taken: Set<string>): string {
  const ending = /\.[^.]+$/.exec(name)?.[0] ?? "";
  const stem = name.slice(0, name.length - ending.length);
  let candidate = name;
  // Windows and macOS take `A.png` and `a.png` for one.
  for (let n = 2; taken.has(candidate.toLowerCase()); n++) candidate = `${stem} (${n})${ending}`;
  taken.add(candidate.toLowerCase());
  return candidate;
}
