/** What a step of a rollback does on one host: the files that the undone runs changed there, tried together, then put back one by one. */
import { z } from 'zod';
import { type Change, defineTask, lines, type Output, refuse, sh } from '../task.ts';
import { clean } from '../tasks/support/before-records.ts';
import { useVersions, versionsText } from '../versions/versions.ts';

const version = z.string().regex(/^\d{6}-[\w.-]{1,80}$/);
const handler = z.strictObject({ name: z.string(), kept: z.string().regex(/^\d{6}-[\w.-]{1,80}\/handlers\/\d+-[\w.!~*'()%-]{1,200}$/) });

const params = z.strictObject({
  run: z.string().describe('Id of this run.'),
  undo: z.array(version).describe('Folders of the runs that are undone, the oldest first.'),
  newest: z.string().describe('Folder of the last run that changed files, as the host said when the runs were chosen.'),
  files: z.array(z.string()).describe('Paths of all files that those runs have changed.'),
  handlers: z.array(handler).describe('Handlers that those runs have notified.'),
  force: z.boolean().default(false).describe('Also puts files back that somebody has changed since.'),
});

export type PutBackWant = z.infer<typeof params>;

/** A file that an undone run has changed. */
interface Kept {
  /** `NUMBER-RUN/ID` */
  readonly entry: string;
  readonly name: string;
  /** `foreign`: somebody has changed it since; `big`: what was there was not kept. */
  readonly state: 'same' | 'differs' | 'foreign' | 'big';
  /** Stands for what is there now. */
  readonly print: string;
  /** It was not there. */
  readonly absent: boolean;
  readonly split: boolean;
  readonly notifies: readonly string[];
  readonly now: string;
  readonly old: string;
}

interface Seen {
  readonly kept: readonly Kept[];
  readonly versions: readonly string[];
}

export const putBack = defineTask<PutBackWant, Seen>({
  summary: 'Puts files back as they were before runs that changed them.',
  params,
  touches: ({ files }) => files.map((path) => `file:${path}`),
  probe: ({ undo }) => lines({ parts: [{ text: versionsText }] }, sh`show_versions ${undo}`),
  parse: ({ stdout }) => parseKept(stdout),
  plan: (seen, want) => {
    refuseNewer(seen, want);
    refuseStrange(seen, want);
    const due = seen.kept.filter((each) => isDue(each, want));
    const validators = want.handlers.filter(({ name }) => due.some(({ notifies }) => notifies.includes(name)));
    return due.length === 0 ? [] : [tryAll(due, validators), ...due.map((each) => restore(each, validators))];
  },
  settled: ({ undo }, { kept }) =>
    undo.length === 0 ? 'the runs that are undone changed no file here' : `${kept.length} files are as they were before`,
  stays: ({ kept }, { force }) =>
    force ? kept.filter(({ state }) => state === 'big').map(({ name }) => `${name}: what was there was too large to be kept`) : [],
  example: { run: 'run-2', undo: ['100001-run-1'], newest: '100001-run-1', files: ['/etc/motd'], handlers: [], force: false },
});

function isDue({ state }: Kept, { force }: PutBackWant): boolean {
  return state === 'differs' || (state === 'foreign' && force);
}

/** What was chosen to be undone was chosen by what the host had then. */
function refuseNewer({ versions }: Seen, { newest, run }: PutBackWant): void {
  const last = versions.findLast((each) => !each.endsWith(`-${run}`)) ?? '';
  if (last !== newest) throw refuse(`another run (${last.replace(/^\d+-/, '')}) has changed files here meanwhile`, 'run it again');
}

/** Files belong together: rather none than some of them. */
function refuseStrange({ kept }: Seen, { force }: PutBackWant): void {
  if (force) return;
  const foreign = kept.filter(({ state }) => state === 'foreign').map(({ name }) => name);
  if (foreign.length > 0)
    throw refuse(
      `${foreign.join(', ')}: somebody has changed ${foreign.length === 1 ? 'it' : 'them'} since lvsctl wrote ${foreign.length === 1 ? 'it' : 'them'}`,
      '--force puts it back all the same; "lvsctl rollback --check --diff --force" shows what would be lost',
    );
  const big = kept.filter(({ state }) => state === 'big').map(({ name }) => name);
  if (big.length > 0) throw refuse(`${big.join(', ')}: what was there was too large to be kept`, '--force puts the other files back');
}

/** Nothing is touched unless all of it is valid together; a file alone may not be, without the others. */
function tryAll(due: readonly Kept[], handlers: PutBackWant['handlers']): Change {
  const names = handlers.map(({ name }) => name);
  return {
    id: 'try',
    title: `try ${due.length === 1 ? 'it' : `all ${due.length} files together`} in a copy${names.length > 0 ? `, as ${names.join(' and ')} would` : ''}`,
    was: '',
    will: '',
    run: lines(useVersions, sh`try_versions ${[...due.map(({ entry }) => entry), '--', ...handlers.map(({ kept }) => kept)]}`),
    timeout: 180,
  };
}

function restore({ entry, name, state, print, absent, split, notifies, now, old }: Kept, handlers: PutBackWant['handlers']): Change {
  const notify = handlers.filter((each) => notifies.includes(each.name)).map((each) => each.name);
  const foreign = state === 'foreign' ? ', which somebody has changed since' : '';
  return {
    id: `file:${name}`,
    title: `${absent ? `remove ${name}, which was not there before` : `put back ${name}`}${foreign}`,
    was: now,
    will: now === old ? `${old}(as before)\n` : old,
    unless: lines(useVersions, sh`version_is ${entry}`),
    run: lines(useVersions, sh`restore_version ${entry} ${print}`),
    ...(notify.length > 0 && { notify }),
    ...(split && { risk: 'split' as const, stage: lines(useVersions, sh`[ -e "$versions"/${entry}/name ]`) }),
  };
}

/** Survives any output. */
function parseKept(stdout: Output['stdout']): Seen {
  const kept = stdout.split(/^(?=file )/m).flatMap((block): readonly Kept[] => {
    const all = (word: string): readonly string[] =>
      [...block.matchAll(new RegExp(`^${word} (.*)$`, 'gm'))].map(([, said = '']) => clean(said));
    const text = (word: string): string =>
      [...block.matchAll(new RegExp(`^${word}\\|(.*)$`, 'gm'))].map(([, line = '']) => `${clean(line)}\n`).join('');
    const [entry = ''] = all('file').filter((each) => /^\d{6}-[\w.-]{1,80}\/[0-9a-f]{16}$/.test(each));
    const [name = ''] = all('name').filter((each) => /^\/.*\S/.test(each));
    const [print = ''] = all('print').filter((each) => /^[0-9a-f]{16}$/.test(each));
    const [state] = all('state').filter((each) => /^(?:same|differs|foreign|big)$/.test(each));
    if (entry === '' || name === '' || print === '' || state === undefined) return [];
    const is = (word: string): boolean => new RegExp(`^${word}$`, 'm').test(block);
    return [
      {
        ...{ entry, name, print, state: state as Kept['state'], absent: is('absent'), split: is('split') },
        ...{ notifies: [...new Set(all('notifies').flatMap(decoded))], now: text('now'), old: text('old') },
      },
    ];
  });
  const versions = [...stdout.matchAll(/^newest (\d{6}-[\w.-]{1,80})$/gm)].map(([, each = '']) => each);
  return { kept: [...new Map(kept.map((each) => [each.name, each])).values()], versions };
}

function decoded(file: string): readonly string[] {
  try {
    return [clean(decodeURIComponent(file))];
  } catch {
    return [];
  }
}
