/** Fetches files of our own folder, says how far it is, and unpacks what is gzipped. */
import { StandoutError } from "./errors";

/** Told while a file is downloaded: its URL and its bytes so far. */
export type Progress = (url: string, loaded: number) => void;

export async function download(url: string, progress?: Progress): Promise<Uint8Array<ArrayBuffer>> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin" });
  } catch {
    throw new StandoutError("download", `${url} can't be fetched; check the connection, then try again.`);
  }
  if (!response.ok) throw new StandoutError("download", `${url} can't be fetched: the server answers ${response.status}.`);
  // A single-page host answers a missing file with its start page.
  if (response.headers.get("content-type")?.startsWith("text/html")) {
    throw new StandoutError("download", `${url} is not there: the server sends a page instead; copy all files of the folder.`);
  }
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    loaded += value.length;
    progress?.(url, loaded);
  }
  return unpacked(new Blob(chunks as Uint8Array<ArrayBuffer>[]), url);
}

/** A file that lies in the folder gzipped, or as it is where somebody copied it from elsewhere. */
export async function downloadPacked(url: string, progress?: Progress): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await download(`${url}.gz`, progress);
  } catch (error) {
    return download(url, progress).catch(() => Promise.reject(error));
  }
}

/** Gzipped files are unpacked here, so that a host without compression sends little, too. */
async function unpacked(blob: Blob, url: string): Promise<Uint8Array<ArrayBuffer>> {
  const head = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  // Some hosts unpack `.gz` on the way: then there is nothing left to do.
  if (head[0] !== 0x1f || head[1] !== 0x8b) return new Uint8Array(await blob.arrayBuffer());
  try {
    return new Uint8Array(await new Response(blob.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
  } catch {
    throw new StandoutError("download", `${url} came incomplete or damaged; load it again.`);
  }
}
