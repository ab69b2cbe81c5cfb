/** YAML → Playbook, with a place for every complaint. What a word means is looked up later, when the playbook is bound. */
import type { Play, Playbook } from '../model.ts';
import { type Around, list, readChecks, readTasks } from './entries.ts';
import { misshapen, openReader, type Path, place, type Reader, readText, shaped, template } from './reader.ts';
import { playKeys, playShape } from './shapes.ts';

/** Throws LvsError (exit 4) at file:line:column. */
export function loadPlaybook(file: string): Playbook {
  return parsePlaybook(readText(file), file);
}

export function parsePlaybook(text: string, file: string): Playbook {
  const reader = openReader(text, file);
  const plays = reader.source.value;
  if (!Array.isArray(plays)) throw misshapen('not a playbook', place([], reader), about.hint);
  return { file, plays: plays.map((play, index) => readPlay(play, [index], reader)), secretNames: reader.source.secretNames };
}

const about = { keys: playKeys, hint: 'a playbook is a list of plays, each with a name, hosts and tasks' };

function readPlay(item: unknown, path: Path, reader: Reader): Play {
  const play = shaped(playShape, item, path, reader, about);
  const around: Around = {
    vars: play.vars === undefined ? [] : [template(play.vars, [...path, 'vars'], reader)],
    tags: list(play.tags),
  };
  return {
    name: play.name,
    hosts: template(play.hosts ?? 'all', play.hosts === undefined ? path : [...path, 'hosts'], reader),
    tasks: readTasks(play.tasks ?? [], [...path, 'tasks'], reader, around),
    checks: readChecks(play.checks ?? [], [...path, 'checks'], reader, around),
    where: place(path, reader),
  };
}
