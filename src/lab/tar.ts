/** A file for an archive; content absent: a folder. */
export interface TarEntry {
  /** Without a leading slash, at most 100 bytes. */
  readonly path: string;
  readonly mode: number;
  readonly content?: string;
}

const block = 512;

/** A ustar archive whose files belong to root. The same entries give the same bytes. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? '');
    return [header(entry, content.length), content, Buffer.alloc(-content.length & (block - 1))];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header(entry: TarEntry, size: number): Buffer {
  const folder = entry.content === undefined;
  const path = folder ? `${entry.path}/` : entry.path;
  if (Buffer.byteLength(path) > 100) throw new RangeError(`path is too long for the archive: ${path}`);
  const head = Buffer.alloc(block);
  head.write(path, 0);
  head.write(octal(entry.mode, 7), 100);
  head.write(octal(0, 7), 108);
  head.write(octal(0, 7), 116);
  head.write(octal(size, 11), 124);
  head.write(octal(0, 11), 136);
  head.write('        ', 148);
  head.write(folder ? '5' : '0', 156);
  head.write('ustar\x0000', 257, 'latin1');
  head.write('root', 265);
  head.write('root', 297);
  const sum = head.reduce((total, value) => total + value, 0);
  head.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return head;
}

function octal(value: number, width: number): string {
  return value.toString(8).padStart(width, '0');
}
