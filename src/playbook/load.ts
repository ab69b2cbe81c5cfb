/** YAML → Playbook, with a place for every complaint. What a word means is looked up later, when the playbook is bound. */
import type { Play, Playbook, Share } from '../model.ts';
import { type Around, nothingAround, within } from './around.ts';
import { readChecks, readHandlers } from './entries.ts';
import { openImport } from './imports.ts';
import { misshapen, openReader, type Path, place, type Reader, readText, shaped, template } from './reader.ts';
import { importPlaybookKeys, importPlaybookShape, playKeys, playShape } from './shapes.ts';
import { readTasks } from './task-list.ts';

/** Throws LvsError (exit 4) at file:line:column. */
export function loadPlaybook(file: string): Playbook {
  return parsePlaybook(readText(file), file);
}

export function parsePlaybook(text: string, file: string): Playbook {
  const secretNames = new Set<string>();
  const reader = openReader(text, file, { chain: [], secretNames });
  const plays = readPlays(reader, nothingAround);
  return { file, plays, secretNames: [...secretNames] };
}

const about = { keys: playKeys, hint: 'a playbook is a list of plays, each with a name, hosts and tasks' };

function readPlays(reader: Reader, around: Around): readonly Play[] {
  const plays = reader.source.value;
  if (!Array.isArray(plays)) throw misshapen('not a playbook', place([], reader), about.hint);
  return plays.flatMap((item, index) => {
    const imports = item !== null && typeof item === 'object' && 'import_playbook' in item;
    return imports ? importPlaybook(item, [index], reader, around) : [readPlay(item, [index], reader, around)];
  });
}

function importPlaybook(item: unknown, path: Path, reader: Reader, around: Around): readonly Play[] {
  const hint = 'import_playbook is the path of a file';
  const entry = shaped(importPlaybookShape, item, path, reader, { keys: importPlaybookKeys, hint });
  const imported = openImport(entry.import_playbook, place([...path, 'import_playbook'], reader), reader);
  return readPlays(imported, within(around, entry, path, reader));
}

function readPlay(item: unknown, path: Path, reader: Reader, outside: Around): Play {
  const play = shaped(playShape, item, path, reader, about);
  const around = within(outside, play, path, reader);
  return {
    name: play.name,
    hosts: template(play.hosts ?? 'all', play.hosts === undefined ? path : [...path, 'hosts'], reader),
    tasks: readTasks(play.tasks ?? [], [...path, 'tasks'], reader, around),
    handlers: readHandlers(play.handlers ?? [], [...path, 'handlers'], reader, { ...around, when: [] }),
    checks: readChecks(play.checks ?? [], [...path, 'checks'], reader, around),
    gate: readChecks(play.gate ?? [], [...path, 'gate'], reader, around),
    serial: play.serial === undefined ? [{ hosts: 1 }] : [play.serial].flat().map(shareOf),
    ...(play.max_fail !== undefined && { maxFail: shareOf(play.max_fail) }),
    where: place(path, reader),
  };
}

/** `3` or `30%`, as the shape has checked it. */
export function shareOf(typed: number | string): Share {
  return typeof typed === 'string' && typed.endsWith('%') ? { percent: Number.parseInt(typed, 10) } : { hosts: Number(typed) };
}
