/** A file on a host that has the bytes of a blob: text or not, of any size. */
import { z } from 'zod';
import { type Blob, type Change, lines, type Output, type Sh, sh } from '../../../task.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile, type WantedFile, writeFile } from './write-file.ts';

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits in small letters');

export interface SeenBytes {
  readonly file: SeenFile;
  /** Of a regular file; empty otherwise. */
  readonly sha256: string;
}

export interface WantedBytes extends Omit<WantedFile, 'seen' | 'content' | 'context'> {
  readonly seen: SeenBytes;
  readonly blob: Blob;
  /** Bytes, where known. */
  readonly size?: number;
  /** The blob as text, where people may see it in the diff; then they see the old text too. */
  readonly text?: string | undefined;
}

/** Three processes for a regular file. `parseBytes` reads the output. */
export function bytesProbe(path: string): Sh {
  return lines(filesProbe([path]), sh`[ -L ${path} ] || [ ! -f ${path} ] || printf 'sha256 %s\n' "$(sha256sum <${path})"`);
}

/** Survives any output. */
export function parseBytes(output: Output): SeenBytes {
  const { files, rest } = parseFiles(output, ['']);
  return { file: files[0] as SeenFile, sha256: /^sha256 ([0-9a-f]{64})\b/m.exec(rest)?.[1] ?? '' };
}

/** As `fileChange`: nothing, `content:PATH`, `attributes:PATH`, or both. Throws `refused` where no regular file can be put. */
export function bytesChange(want: WantedBytes): readonly Change[] {
  const { seen, blob } = want;
  const same = seen.sha256 === blob.sha256;
  const changes = fileChange({ ...want, seen: { ...seen.file, content: '' }, content: '', context: { same: () => same } });
  const shown = differs(want) ?? digests(want);
  return changes.map((change) =>
    change.id.startsWith('content:') ? { ...change, ...shown, run: writeBlob(want), blobs: [blob] } : change,
  );
}

/** The fragment alone, as `writeFile`, for a blob that `blobs` of the same change brings. */
export function writeBlob(want: Pick<WantedBytes, 'path' | 'blob' | 'owner' | 'group' | 'mode' | 'validate' | 'makeParent'>): Sh {
  const { blob, validate } = want;
  const fill = (staged: Sh): Sh =>
    lines(
      sh`{ cat -- "$LVSCTL_BLOBS"/${blob.sha256} >${staged} && [ "$(sha256sum <${staged})" = ${`${blob.sha256}  -`} ]; } || { printf '%s\n' ${`${blob.name} did not arrive whole`} >&2; exit 1; }`,
      validate?.(staged),
    );
  return writeFile({ ...want, content: '', validate: fill });
}

/** Old and new text, where both are text that differs, and everybody on the host may read the old one. */
function differs({ seen, text }: WantedBytes): { readonly was: string; readonly will: string } | undefined {
  const hidden = seen.file.type === 'file' && (Number.parseInt(seen.file.mode, 8) & 0o004) === 0;
  if (text === undefined || hidden) return undefined;
  const was = seen.file.type === 'missing' ? '' : seen.file.content;
  return was === undefined || was === text || was.includes('\0') || was.includes('\uFFFD') ? undefined : { was, will: text };
}

function digests({ seen, blob, size }: WantedBytes): { readonly was: string; readonly will: string } {
  const line = (sum: string, bytes: number | undefined) => `(${bytes === undefined ? '' : `${bytes} bytes, `}SHA-256 ${sum})\n`;
  const was = seen.file.type === 'file' ? line(seen.sha256 || 'unknown', seen.file.size) : '';
  return { was, will: line(blob.sha256, size) };
}
