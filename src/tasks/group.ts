import { z } from 'zod';
import { type Change, defineTask, refuse, type Sh, sh } from '../task.ts';
import { accountLines, namedAccount } from './support/accounts.ts';

const params = z.strictObject({
  name: namedAccount.describe('Name of the group.'),
  system: z.boolean().default(false).describe('Takes its number from the range of system groups when it is created.'),
  gid: z.int().min(1).max(4_294_967_293).optional().describe('Number of the group; chosen by the host unless said.'),
  state: z.enum(['present', 'absent']).default('present').describe('Whether the group is there.'),
});

type Want = z.infer<typeof params>;

interface Seen {
  /** Number of the group, where it is there. */
  readonly gid: number | undefined;
  /** Name of the group that has the wanted number. */
  readonly holder: string | undefined;
}

export default defineTask<Want, Seen>({
  summary: 'A group of users.',
  params,
  touches: (want) => [`group:${want.name}`],
  probe: (want) =>
    want.gid === undefined
      ? sh`getent group ${want.name} | sed 's/^/group /'`
      : sh`getent group ${[want.name, want.gid]} | sed 's/^/group /'`,
  parse: ({ stdout }, want) => {
    const groups = accountLines(stdout, 'group').map(([name = '', , gid = '']) => ({ name, gid: Number.parseInt(gid, 10) }));
    return {
      gid: groups.find(({ name }) => name === want.name)?.gid,
      holder: groups.find(({ gid }) => gid === want.gid)?.name,
    };
  },
  plan: (seen, want) => (want.state === 'absent' ? remove(seen, want) : create(seen, want)),
  settled: (want, seen) =>
    want.state === 'absent' ? `there is no group ${want.name}` : `the group ${want.name} is there, with the number ${seen.gid}`,
  example: { name: 'nginx', system: true, state: 'present' },
});

function create(seen: Seen, want: Want): readonly Change[] {
  if (seen.gid !== undefined) {
    if (want.gid === undefined || want.gid === seen.gid) return [];
    throw refuse(
      `the group ${want.name} has the number ${seen.gid}, not ${want.gid}`,
      `files belong to numbers: change it by hand together with them, or write "gid: ${seen.gid}"`,
    );
  }
  if (seen.holder !== undefined) throw refuse(`the number ${want.gid} belongs to the group ${seen.holder}`, 'give another "gid"');
  const number: Sh = want.gid === undefined ? sh`` : sh` -g ${want.gid}`;
  return [
    {
      id: `create:${want.name}`,
      title: `create the ${want.system ? 'system ' : ''}group ${want.name}`,
      was: '',
      will: `${want.system ? 'system group' : 'group'} ${want.name}${want.gid === undefined ? '' : ` (${want.gid})`}\n`,
      run: sh`getent group ${want.name} >/dev/null || groupadd${want.system ? sh` -r` : sh``}${number} -- ${want.name}`,
      unless: sh`getent group ${want.name} >/dev/null`,
    },
  ];
}

function remove(seen: Seen, want: Want): readonly Change[] {
  if (seen.gid === undefined) return [];
  return [
    {
      id: `remove:${want.name}`,
      title: `remove the group ${want.name}`,
      was: `group ${want.name} (${seen.gid})\n`,
      will: '',
      run: sh`! getent group ${want.name} >/dev/null || groupdel -- ${want.name}`,
      unless: sh`! getent group ${want.name} >/dev/null`,
    },
  ];
}
