/**
 * Changes single lines of a text file and leaves every other byte as it is. The plan names whole lines; they are looked up on the host
 * when the change runs, so two steps may edit one file, and bytes that are no valid text come to no harm.
 */
import { type Change, lines, refuse, type Sh, sh } from '../../../task.ts';
import { type SeenFile, writeFile } from './write-file.ts';

/** A line is text without its newline. `at` stands before or after the last line of that text. */
export type LineEdit =
  | { readonly kind: 'replace'; readonly old: string; readonly by: string }
  | { readonly kind: 'remove'; readonly old: string }
  | {
      readonly kind: 'insert';
      readonly line: string;
      readonly at: 'start' | 'end' | { readonly after: string } | { readonly before: string };
    };

export interface EditedFile {
  /** Absolute. */
  readonly path: string;
  readonly edits: readonly LineEdit[];
  /** Of a file that has to be made; one that is there keeps its own. Root and "0644" unless said. */
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  readonly mode?: string | undefined;
  readonly validate?: ((staged: Sh) => Sh) | undefined;
}

/** The text that is there, empty for a file that is yet to be made. Throws `refused` for what lines cannot be edited in. */
export function editableText(seen: SeenFile, path: string, create: boolean): string {
  if (seen.type === 'missing') {
    if (create) return '';
    throw refuse(`there is no ${path}`, 'if an earlier step makes it, run that first: a plan sees the host as it is before the run');
  }
  if (seen.type === 'link') throw refuse(`${path} is a symbolic link to ${seen.target}`, 'name its target, or remove the link');
  if (seen.type !== 'file') throw refuse(`${path} is no regular file`, 'move it away, or give another path');
  if (seen.content === undefined) throw refuse(`${path} has more than 128 KiB or cannot be read`, 'edit it by hand');
  if (seen.content.includes('\0')) throw refuse(`${path} is no text`, 'give another path');
  return seen.content;
}

/** One change `lines:PATH`; nothing without edits. The diff shows the file, or, where not everybody may read it, these lines alone. */
export function editChange(seen: SeenFile, file: EditedFile & { readonly title: string }): readonly Change[] {
  const { path, edits, title } = file;
  if (edits.length === 0) return [];
  for (const line of edits.flatMap(linesOfHost)) refuseStrange(line, path);
  const open = seen.type !== 'file' || (Number.parseInt(seen.mode, 8) & 0o004) !== 0;
  const was = open ? (seen.content ?? '') : oldLines(edits);
  return [{ id: `lines:${path}`, title, was, will: applyEdits(was, edits), run: editFile(file) }];
}

function linesOfHost(edit: LineEdit): readonly string[] {
  if (edit.kind !== 'insert') return [edit.old];
  return typeof edit.at === 'string' ? [] : Object.values(edit.at);
}

/** What goes into a fragment again must be what the host has, and must not look like a secret's slot. */
function refuseStrange(line: string, path: string): void {
  if (/[\uFFFD\p{Co}\p{Surrogate}]/u.test(line)) throw refuse(`a line of ${path} that would change is no valid text`, 'change it by hand');
}

function oldLines(edits: readonly LineEdit[]): string {
  return edits.map((edit) => ('old' in edit ? `${edit.old}\n` : '')).join('');
}

/** The text after the edits. A last line without its newline keeps lacking it, unless another line comes after it. */
export function applyEdits(content: string, edits: readonly LineEdit[]): string {
  const final = content === '' || content.endsWith('\n');
  const texts = final ? content.split('\n').slice(0, -1) : content.split('\n');
  const after = edits.reduce(applyEdit, { texts, final });
  return after.texts.join('\n') + (after.final && after.texts.length > 0 ? '\n' : '');
}

interface Text {
  readonly texts: readonly string[];
  /** The last line ends with a newline. */
  readonly final: boolean;
}

function applyEdit({ texts, final }: Text, edit: LineEdit): Text {
  if (edit.kind === 'remove') return { texts: texts.filter((text) => text !== edit.old), final };
  if (edit.kind === 'replace') {
    const old = texts.lastIndexOf(edit.old);
    return { texts: old < 0 ? texts : texts.with(old, edit.by), final };
  }
  if (texts.includes(edit.line)) return { texts, final };
  const place = placeOf(texts, edit.at);
  return { texts: [...texts.slice(0, place), edit.line, ...texts.slice(place)], final: final || place === texts.length };
}

function placeOf(texts: readonly string[], at: Extract<LineEdit, { kind: 'insert' }>['at']): number {
  if (at === 'start') return 0;
  if (at === 'end') return texts.length;
  return 'after' in at ? texts.lastIndexOf(at.after) + 1 : Math.max(0, texts.lastIndexOf(at.before));
}

/**
 * One letter and a line each: `-` remove, `~` replace, `>` `<` insert after or before, `^` `$` at the start or end; all but the first
 * are followed by `+` and the new line.
 */
function encode(edit: LineEdit): string {
  if (edit.kind === 'remove') return `-${edit.old}`;
  if (edit.kind === 'replace') return `~${edit.old}\n+${edit.by}`;
  const { at, line } = edit;
  if (at === 'start' || at === 'end') return `${at === 'start' ? '^' : '$'}\n+${line}`;
  return 'after' in at ? `>${at.after}\n+${line}` : `<${at.before}\n+${line}`;
}

/** What awk does at the end of the file, edit by edit. Exit 3: a line that the plan saw is there no more. */
const program = `
{ line[NR] = $0 }
END {
  n = NR; count = split(ENVIRON["edits"], edit, "\\n"); final = ENVIRON["final"] != "no"
  for (i = 1; i <= count; i++) {
    kind = substr(edit[i], 1, 1); key = substr(edit[i], 2); at = 0
    if (kind == "-") {
      m = 0
      for (j = 1; j <= n; j++) if (line[j] "" != key "") line[++m] = line[j]
      n = m
      continue
    }
    text = substr(edit[++i], 2)
    for (j = 1; j <= n; j++) if (line[j] "" == key "") at = j
    if (kind == "~" && at > 0) { line[at] = text; continue }
    there = 0
    for (j = 1; j <= n; j++) if (line[j] "" == text "") there = 1
    if (there) continue
    if (kind == "^") at = 1
    else if (kind == "$") at = n + 1
    else if (kind == "~" || at == 0) exit 3
    else if (kind == ">") at++
    for (j = n; j >= at; j--) line[j + 1] = line[j]
    line[at] = text
    if (at == ++n) final = 1
  }
  for (j = 1; j < n; j++) print line[j]
  if (n > 0) { if (final) print line[n]; else printf "%s", line[n] }
}`;

/** The fragment alone. Safe to run again: what is done already is left alone. Owner and mode of a file that is there stay. */
export function editFile({ path, edits, validate, ...attributes }: EditedFile): Sh {
  const compose = (staged: Sh): Sh =>
    lines(
      sh`source=$target final=yes
if [ "$there" != "$target" ]; then
  source=./was
  { [ ! -e "$there" ] && [ ! -L "$there" ]; } || link_old || exit 1
fi
if [ -e "$source" ]; then
  chown -- "$(stat -c %u:%g -- "$source")" ${staged} && chmod -- "$(stat -c %a -- "$source")" ${staged} || exit 1
  [ -z "$(tail -c 1 -- "$source")" ] || final=no
else
  source=/dev/null
fi
edits=${edits.map(encode).join('\n')} final=$final LC_ALL=C awk ${program} <"$source" >${staged}
status=$?
[ "$status" -ne 3 ] || printf '%s\n' ${`${path} is not what it was when the plan was made: a line to be changed is gone`} >&2
[ "$status" -eq 0 ] || exit 1`,
      validate?.(staged),
    );
  return writeFile({ path, content: '', validate: compose, ...attributes });
}
