/** The way back: what `lvsctl/before` holds of a host, as it was before the first change of a deploy. */
import { z } from 'zod';
import { type Change, defineTask, lines, type Sh, sh } from '../task.ts';
import { beforeProbe, parseRecords, type Recorded } from './support/before-records.ts';

const pattern = z
  .string()
  .regex(/^[^\p{Cc}\p{Co}\p{Cs}]{1,300}$/u, 'one line of text')
  .refine((each) => each === '*' || /^[a-z_*-]+:./.test(each), 'KIND:NAME, in which * stands for anything, such as service:*');

const params = z.strictObject({
  what: z
    .array(pattern)
    .min(1)
    .describe(
      'What is put back, as `kind:name` in which `*` stands for anything, in this order; what one pattern names, the newest first. Kinds are those of "touches"; a service that ran before lvsctl came is a `running-service`.',
    ),
  except: z.array(pattern).default([]).describe('What is not, although it is named.'),
  force: z.boolean().default(false).describe('Also puts files back that somebody has changed since lvsctl wrote them.'),
});

type Want = z.infer<typeof params>;

export default defineTask<Want, readonly Recorded[]>({
  summary: 'Puts back what was there before the first deploy: takes away what lvsctl added, and gives what it changed its old value.',
  params,
  touches: () => ['host:before'],
  probe: beforeProbe,
  parse: ({ stdout }) => parseRecords(stdout),
  plan: (seen, want) => {
    const chosen = inOrder(seen, want).filter(({ state }) => state !== 'foreign' || want.force);
    const same = chosen.filter(({ state }) => state === 'same');
    const changes = chosen.filter(({ state }) => state !== 'same').map((record) => putBack(record, want));
    return same.length > 0 ? [...changes, forget(same)] : changes;
  },
  settled: (want, seen) => {
    const foreign = inOrder(seen, want).length;
    return foreign === 0 ? 'nothing to take away: no change of lvsctl is on record here' : 'the rest is as it was before lvsctl came';
  },
  stays: (seen, want) =>
    want.force
      ? []
      : inOrder(seen, want).flatMap(({ kind, name, state }) =>
          state === 'foreign'
            ? [`${kind} ${name}: somebody has changed it since lvsctl wrote it; with "force" it is put back all the same`]
            : [],
        ),
  example: { what: ['service:*', 'address:*'], except: ['service:lvsctl-*'], force: false },
});

/** By the first pattern that names it, then the newest first. */
function inOrder(seen: readonly Recorded[], { what, except }: Want): readonly Recorded[] {
  const matchers = what.map(matcher);
  const left = except.map(matcher);
  const place = ({ kind, name }: Recorded): number =>
    left.some((matches) => matches(`${kind}:${name}`)) ? -1 : matchers.findIndex((matches) => matches(`${kind}:${name}`));
  return [...seen]
    .map((record) => ({ record, at: place(record) }))
    .filter(({ at }) => at >= 0)
    .sort((one, other) => one.at - other.at || other.record.number - one.record.number)
    .map(({ record }) => record);
}

function matcher(glob: string): (text: string) => boolean {
  const words = glob.split('*').map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const regex = new RegExp(`^${words.join('.*')}$`, 'su');
  return (text) => regex.test(text);
}

const use = sh`# shellcheck disable=SC1090,SC1091
. "$LVSCTL_RUN/before.sh"`;

function putBack({ record, kind, name, now, old, why }: Recorded, { force }: Want): Change {
  return {
    id: `${kind}:${name}`,
    title: `${titleOf({ kind, name, now, old })}${why === '' ? '' : ` (the last time: ${why})`}`,
    was: now,
    will: now === old ? `${old}(as before)\n` : old,
    run: lines(use, restoring(record, force)),
    timeout: kind === 'packages' ? 900 : 180,
  };
}

function restoring(record: string, force: boolean): Sh {
  return sh`restore ${record} ${force ? 'force' : ''} || exit 1`;
}

function verbs(now: string, old: string): string {
  const [active, enabled] = old.trim().split(' ');
  const [isActive, isEnabled] = now.trim().split(' ');
  const words = { enabled: 'enable', disabled: 'disable', masked: 'mask' } as const;
  const run = active === isActive ? [] : [active === 'active' ? 'start' : 'stop'];
  const boot = enabled === isEnabled ? [] : [words[enabled as keyof typeof words] ?? 'set back'];
  return [...run, ...boot].join(' and ') || 'set back';
}

function titleOf({ kind, name, now, old }: Pick<Recorded, 'kind' | 'name' | 'now' | 'old'>): string {
  if (kind === 'packages') return 'purge the packages that came with lvsctl';
  if (kind === 'running-service') return `let ${name}, which ran before, run as it did`;
  if (kind === 'service') return `${verbs(now, old)} ${name}`;
  if (kind === 'sysctl') return `set ${name} = ${old.trim()} again`;
  if (kind === 'module') return `unload the kernel module ${name}`;
  return old === '' ? `remove the ${kind.replaceAll('_', ' ')} ${name}` : `put back the ${kind.replaceAll('_', ' ')} ${name}`;
}

/** Nothing differs: only the record goes, and with the last one what lvsctl keeps on the host. */
function forget(records: readonly Recorded[]): Change {
  return {
    id: 'forget',
    title: `forget how ${records.length === 1 ? 'one thing was that is' : `${records.length} things were that are`} as before`,
    was: records.map(({ kind, name }) => `${kind}:${name}\n`).join(''),
    will: '',
    run: lines(use, ...records.map(({ record }) => restoring(record, false))),
  };
}
