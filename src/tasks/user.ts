import { z } from 'zod';
import { type Change, defineTask, refuse, type Sh, sh } from '../task.ts';
import { accountLines, namedAccount } from './support/accounts.ts';
import { absolutePath } from './support/params.ts';

const accountPath = absolutePath.refine((path) => !path.includes(':'), 'a path without ":", which divides the fields of passwd');

const params = z.strictObject({
  name: namedAccount.describe('Name of the user.'),
  group: namedAccount.optional().describe('Primary group, which must be there; one of the same name unless said.'),
  system: z.boolean().default(false).describe('Takes its number from the range of system users when it is created.'),
  shell: z
    .union([z.literal('nologin'), accountPath])
    .optional()
    .describe('Login shell: a path, or `nologin`, wherever the distribution keeps it. As it is unless said.'),
  home: accountPath.optional().describe('Home directory as passwd names it. As it is unless said.'),
  uid: z.int().min(1).max(4_294_967_293).optional().describe('Number of the user; chosen by the host unless said.'),
  create_home: z.boolean().default(false).describe('Makes the home directory where it is missing.'),
  state: z.enum(['present', 'absent']).default('present').describe('Whether the user is there; removing one leaves its files.'),
});

type Want = z.infer<typeof params>;

interface SeenUser {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

interface Seen {
  readonly user: SeenUser | undefined;
  /** Name of the user that has the wanted number. */
  readonly holder: string | undefined;
  /** Number of the wanted primary group, where it is there. */
  readonly gid: number | undefined;
  /** Where this host keeps nologin. */
  readonly nologin: string;
  readonly homeExists: boolean;
}

export default defineTask<Want, Seen>({
  summary: 'A user of the host.',
  params,
  touches: (want) => [`user:${want.name}`, ...(want.create_home && want.home !== undefined ? [`directory:${want.home}`] : [])],
  needs: (want) => (want.group === undefined ? [] : [`group:${want.group}`]),
  probe: (want) => sh`entry=$(getent passwd ${want.name}) && printf 'passwd %s\n' "$entry"
${want.uid === undefined ? sh`:` : sh`getent passwd ${want.uid} | sed 's/^/passwd /'`}
getent group ${want.group ?? want.name} | sed 's/^/group /'
command -v nologin | sed 's/^/nologin:/'
home=\${entry%:*}
home=${want.home ?? sh`\${home##*:}`}
[ ! -d "$home" ] || printf 'home\n'`,
  parse: ({ stdout }, want) => {
    const users = accountLines(stdout, 'passwd').map(([name = '', , uid = '', gid = '', , home = '', shell = '']) => ({
      name,
      user: { uid: Number.parseInt(uid, 10), gid: Number.parseInt(gid, 10), home, shell },
    }));
    const [, , gid] = accountLines(stdout, 'group').find(([name]) => name === (want.group ?? want.name)) ?? [];
    return {
      user: users.find(({ name }) => name === want.name)?.user,
      holder: users.find(({ user }) => user.uid === want.uid)?.name,
      gid: gid === undefined ? undefined : Number.parseInt(gid, 10),
      nologin: /^nologin:(\/[\w./-]+)$/m.exec(stdout)?.[1] ?? '/usr/sbin/nologin',
      homeExists: /^home$/m.test(stdout),
    };
  },
  plan: (seen, want) => {
    if (want.state === 'absent') return seen.user ? [remove(want, seen.user)] : [];
    return seen.user ? amend(seen, seen.user, want) : [create(seen, want)];
  },
  settled: (want, seen) =>
    want.state === 'absent' ? `there is no user ${want.name}` : `the user ${want.name} is there, with the number ${seen.user?.uid}`,
  example: { name: 'nginx', group: 'nginx', system: true, shell: 'nologin', create_home: false, state: 'present' },
});

function create(seen: Seen, want: Want): Change {
  if (seen.holder !== undefined) throw refuse(`the number ${want.uid} belongs to the user ${seen.holder}`, 'give another "uid"');
  const shell = want.shell === 'nologin' ? seen.nologin : want.shell;
  const options = [
    want.system && '-r',
    want.create_home ? '-m' : '-M',
    want.uid !== undefined && ['-u', String(want.uid)],
    shell !== undefined && ['-s', shell],
    want.home !== undefined && ['-d', want.home],
  ];
  const words = options.flatMap((option) => option || []);
  return {
    id: `create:${want.name}`,
    title: `create the ${want.system ? 'system ' : ''}user ${want.name}`,
    was: '',
    will: `user ${want.name}, group ${want.group ?? want.name}${shell === undefined ? '' : `, shell ${shell}`}${want.home === undefined ? '' : `, home ${want.home}`}\n`,
    run: sh`${primaryGroup(want)}
getent passwd ${want.name} >/dev/null || useradd ${words} "$@" -- ${want.name}`,
    unless: sh`getent passwd ${want.name} >/dev/null`,
  };
}

/** A group of the user's own name is taken where it is there already, and made with the user where it is not. */
function primaryGroup(want: Want): Sh {
  if (want.group !== undefined) return sh`set -- -g ${want.group}`;
  return sh`if getent group ${want.name} >/dev/null; then set -- -g ${want.name}; else set -- -U; fi`;
}

function amend(seen: Seen, user: SeenUser, want: Want): readonly Change[] {
  if (want.uid !== undefined && want.uid !== user.uid) {
    throw refuse(
      `the user ${want.name} has the number ${user.uid}, not ${want.uid}`,
      `files belong to numbers: change it by hand together with them, or write "uid: ${user.uid}"`,
    );
  }
  const change = (what: string, was: string, will: string, run: Sh): Change => ({
    id: `${what}:${want.name}`,
    title: `set the ${what} of the user ${want.name}`,
    was: `${was}\n`,
    will: `${will}\n`,
    run,
  });
  const changes: Change[] = [];
  if (want.group !== undefined && seen.gid !== user.gid) {
    const run = sh`usermod -g ${want.group} -- ${want.name}`;
    changes.push(change('group', String(user.gid), seen.gid === undefined ? want.group : `${seen.gid} (${want.group})`, run));
  }
  if (want.shell !== undefined && !sameShell(want.shell, user.shell)) {
    const shell = want.shell === 'nologin' ? seen.nologin : want.shell;
    changes.push(change('shell', user.shell, shell, sh`usermod -s ${shell} -- ${want.name}`));
  }
  if (want.home !== undefined && want.home !== user.home) {
    changes.push(change('home', user.home, want.home, sh`usermod -d ${want.home} -- ${want.name}`));
  }
  if (want.create_home && !seen.homeExists) changes.push(makeHome(want.home ?? user.home, want));
  return changes;
}

/** Distributions keep nologin in different folders; any of them keeps people out. */
function sameShell(want: string, seen: string): boolean {
  return want === seen || (want === 'nologin' && /^(\/usr)?\/s?bin\/nologin$/.test(seen));
}

function makeHome(home: string, want: Want): Change {
  return {
    id: `home-directory:${want.name}`,
    title: `make the home directory of the user ${want.name}`,
    was: '',
    will: `${home}\n`,
    run: sh`home=${home}
( umask 022; mkdir -p -- "$home" ) && chmod 0750 -- "$home" && chown -- "$(id -u ${want.name}):$(id -g ${want.name})" "$home"`,
    unless: sh`[ -d ${home} ]`,
  };
}

function remove(want: Want, user: SeenUser): Change {
  return {
    id: `remove:${want.name}`,
    title: `remove the user ${want.name}`,
    was: `user ${want.name} (${user.uid})\n`,
    will: '',
    run: sh`! getent passwd ${want.name} >/dev/null || userdel -- ${want.name}`,
    unless: sh`! getent passwd ${want.name} >/dev/null`,
  };
}
