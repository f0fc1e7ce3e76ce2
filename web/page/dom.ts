/** The element of an id; the page is ours, so a missing one is a mistake of ours. */
export function get<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no element #${id}.`);
  return element as T;
}

const notice = (): HTMLElement => get("notice");

/** Says in one sentence what went wrong, or takes it back. */
export function say(text: string): void {
  notice().textContent = text;
  notice().hidden = !text;
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
