/** What is kept on a host of how it was, as the host tells it. */
import { beforeText } from '../../before/before.ts';
import { lines, type Output, type Sh, sh } from '../../task.ts';

export interface Recorded {
  /** Name of its folder. */
  readonly record: string;
  /** The greater, the newer. */
  readonly number: number;
  readonly kind: string;
  readonly name: string;
  /** `foreign`: somebody has changed it since lvsctl wrote it. */
  readonly state: 'same' | 'differs' | 'foreign';
  /** Why it could not be put back the last time. */
  readonly why: string;
  /** Text for the diff; empty where there is, or was, nothing. */
  readonly now: string;
  readonly old: string;
}

/** Only of what the patterns name: each record is compared with the present once, however many steps there are. */
export function beforeProbe({ what, except }: { readonly what: readonly string[]; readonly except: readonly string[] }): Sh {
  const named = (globs: readonly string[], code: number): readonly Sh[] => globs.map((each) => sh`${globOf(each)}) return ${code} ;;`);
  return lines(
    sh`wanted() {
case $1 in`,
    ...named(except, 1),
    ...named(what, 0),
    sh`esac
return 1
}`,
    { parts: [{ text: beforeText }] },
    sh`list_records`,
  );
}

/** Between the stars everything is itself. */
function globOf(glob: string): Sh {
  const parts = glob
    .split('*')
    .flatMap((word, index) => [...(index > 0 ? [{ text: '*' }] : []), ...(word === '' ? [] : [{ value: word }])]);
  return { parts };
}

export function parseRecords(stdout: Output['stdout']): readonly Recorded[] {
  const records = stdout.split(/^(?=record )/m).flatMap((block): readonly Recorded[] => {
    const field = (name: string): string => new RegExp(`^${name} (.*)$`, 'm').exec(block)?.[1] ?? '';
    const text = (word: string): string =>
      [...block.matchAll(new RegExp(`^${word}\\|(.*)$`, 'gm'))].map(([, line]) => `${clean(line ?? '')}\n`).join('');
    const [record = '', number] = /^(\d{6,9})-[0-9a-f]{16}$/.exec(field('record')) ?? [];
    const [kind, name] = [clean(field('kind')), clean(field('name'))];
    const [state] = /^(?:same|differs|foreign)$/.exec(field('state')) ?? [];
    if (record === '' || !/^[a-z_-]+$/.test(kind) || name.trim() === '' || state === undefined) return [];
    const shown = { now: text('now'), old: text('old'), why: clean(field('why')).trim() };
    return [{ record, number: Number(number), kind, name, state: state as Recorded['state'], ...shown }];
  });
  return [...new Map(records.map((each) => [`${each.kind}:${each.name}`, each])).values()];
}

/** A host's words come to stand in titles; they are never control characters or slots of secrets. */
export function clean(said: string): string {
  return said.replace(/[^\P{Cc}\t]|\p{Co}/gu, '?');
}
