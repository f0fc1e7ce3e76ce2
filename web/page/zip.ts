/** A zip without compression (pictures are compressed already): blobs in, one blob out, nothing held in memory twice. */

export interface ZipEntry {
  readonly name: string;
  readonly blob: Blob;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The largest archive that the format holds without its 64-bit extension. */
export const ZIP_LIMIT = 0xffffffff;

export class Zip {
  private readonly parts: BlobPart[] = [];
  private readonly directory: Uint8Array<ArrayBuffer>[] = [];
  private readonly names = new Set<string>();
  private offset = 0;

  get size(): number {
    return this.offset;
  }

  /** Adds a file; a name that is taken gets a number. */
  async add({ name, blob }: ZipEntry, when = new Date()): Promise<void> {
    const unique = this.unique(name);
    const bytes = new TextEncoder().encode(unique);
    const crc = crc32(new Uint8Array(await blob.arrayBuffer()));
    const time = (when.getHours() << 11) | (when.getMinutes() << 5) | (when.getSeconds() >> 1);
    const date = ((when.getFullYear() - 1980) << 9) | ((when.getMonth() + 1) << 5) | when.getDate();
    // Version 2.0, names in UTF-8, stored.
    const common = [20, 0x0800, 0, time, date];
    const local = record(0x04034b50, common, [crc, blob.size, blob.size], [bytes.length, 0], bytes);
    const tail = new Uint8Array(14);
    new DataView(tail.buffer).setUint32(10, this.offset, true);
    const central = record(0x02014b50, [20, ...common], [crc, blob.size, blob.size], [bytes.length, 0], undefined);
    this.directory.push(joined(central, tail, bytes));
    this.parts.push(local, blob);
    this.offset += local.length + blob.size;
  }

  finish(): Blob {
    const directory = joined(...this.directory);
    const end = new Uint8Array(22);
    const view = new DataView(end.buffer);
    view.setUint32(0, 0x06054b50, true);
    view.setUint16(8, this.directory.length, true);
    view.setUint16(10, this.directory.length, true);
    view.setUint32(12, directory.length, true);
    view.setUint32(16, this.offset, true);
    return new Blob([...this.parts, directory, end], { type: "application/zip" });
  }

  private unique(name: string): string {
    const dot = name.lastIndexOf(".");
    let candidate = name;
    for (let n = 2; this.names.has(candidate); n++) candidate = `${name.slice(0, dot)} (${n})${name.slice(dot)}`;
    this.names.add(candidate);
    return candidate;
  }
}

function record(
  signature: number, shorts: number[], longs: number[], lengths: number[], tail: Uint8Array | undefined,
): Uint8Array<ArrayBuffer> {
  const size = 4 + shorts.length * 2 + longs.length * 4 + lengths.length * 2;
  const result = new Uint8Array(size + (tail?.length ?? 0));
  const view = new DataView(result.buffer);
  let at = 4;
  view.setUint32(0, signature, true);
  for (const value of shorts) view.setUint16((at += 2) - 2, value, true);
  for (const value of longs) view.setUint32((at += 4) - 4, value, true);
  for (const value of lengths) view.setUint16((at += 2) - 2, value, true);
  if (tail) result.set(tail, size);
  return result;
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
