/** A list of tasks, with those of its blocks and imports, and the barriers that divide it into phases. */
import type { Frame, TaskEntry } from '../model.ts';
import { type Around, atEntry, within } from './around.ts';
import { readTask } from './entries.ts';
import { openImport } from './imports.ts';
import { misshapen, type Path, place, type Reader, shaped } from './reader.ts';
import { barrierKeys, barrierShape, blockKeys, blockShape, importKeys, importShape } from './shapes.ts';

const barrier = 'barrier';
type Item = TaskEntry | typeof barrier;

/** The tasks of a play, each with the number of its phase: a barrier begins one, and so does a task that is looked at until something holds. */
export function readTasks(list: readonly unknown[], path: Path, reader: Reader, around: Around): readonly TaskEntry[] {
  let phase = 0;
  return readItems(list, path, reader, around).flatMap((item) => {
    if (item === barrier || item.until) phase += 1;
    return item === barrier ? [] : [{ ...item, phase }];
  });
}

function readItems(list: readonly unknown[], path: Path, reader: Reader, outside: Around): readonly Item[] {
  return list.flatMap((item, index): readonly Item[] => {
    const at = [...path, index];
    const around = atEntry(outside, index);
    const keys = item !== null && typeof item === 'object' ? item : {};
    if ('block' in keys) return readBlock(item, at, reader, around);
    if ('import_tasks' in keys) return importTasks(item, at, reader, around);
    if ('barrier' in keys) return [readBarrier(item, at, reader, around)];
    const task = readTask(item, at, reader, around);
    if (task.until) refuseInFrame('until', task.until.place(), around);
    return [task];
  });
}

function readBlock(item: unknown, path: Path, reader: Reader, outside: Around): readonly Item[] {
  const entry = shaped(blockShape, item, path, reader, { keys: blockKeys, hint: 'a block is a list of tasks' });
  const around = within(outside, entry, path, reader);
  if (!entry.rescue && !entry.always) return readItems(entry.block, [...path, 'block'], reader, around);
  const name = entry.name ?? `block at line ${place(path, reader).line}`;
  const part = (list: readonly unknown[] | undefined, key: string, part: Frame['part']): readonly Item[] => {
    const frame: Frame = { block: outside.trail, name, part, rescued: entry.rescue !== undefined };
    const inside = { ...around, frames: [...around.frames, frame], trail: `${around.trail}${part}.` };
    return list ? readItems(list, [...path, key], reader, inside) : [];
  };
  return [...part(entry.block, 'block', 'body'), ...part(entry.rescue, 'rescue', 'rescue'), ...part(entry.always, 'always', 'always')];
}

function importTasks(item: unknown, path: Path, reader: Reader, around: Around): readonly Item[] {
  const entry = shaped(importShape, item, path, reader, { keys: importKeys, hint: 'import_tasks is the path of a file' });
  const imported = openImport(entry.import_tasks, place([...path, 'import_tasks'], reader), reader);
  const list = imported.source.value ?? [];
  if (!Array.isArray(list)) throw misshapen('not a list of tasks', place([], imported), 'a file of tasks is a list, as under "tasks"');
  return readItems(list, [], imported, within(around, entry, path, reader));
}

function readBarrier(item: unknown, path: Path, reader: Reader, around: Around): typeof barrier {
  shaped(barrierShape, item, path, reader, { keys: barrierKeys, hint: 'say "barrier: true", or why' });
  refuseInFrame('a barrier', place([...path, 'barrier'], reader, true), around);
  return barrier;
}

/** What a failure leads to is decided on the host while its script runs; a second look from here cannot stand in between. */
function refuseInFrame(what: string, where: ReturnType<typeof place>, { frames }: Around): void {
  if (frames.length === 0) return;
  throw misshapen(`${what} cannot stand in a block with rescue or always`, where, 'put it before or after the block');
}
