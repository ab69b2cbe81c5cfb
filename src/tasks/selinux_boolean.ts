/** Switches of SELinux's policy: what a service may do beyond the usual. Now and after a reboot are looked at separately. */
import { z } from 'zod';
import { type Change, defineTask, lines, type Output, refuse, type Sh, sh } from '../task.ts';
import { booleanBefore } from './support/selinux/before.ts';
import { localSettings, selinuxOn } from './support/selinux/store.ts';

const params = z.strictObject({
  booleans: z
    .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'the name of a boolean, such as httpd_can_network_connect'), z.boolean())
    .refine((booleans) => Object.keys(booleans).length > 0, 'at least one boolean')
    .describe('Booleans of the policy, each with true (on) or false (off). `getsebool -a` lists those that a host has.'),
});

type Want = z.infer<typeof params>;
type State = 'on' | 'off';

interface SeenBoolean {
  /** Undefined where the policy has no such boolean. */
  readonly live: State | undefined;
  /** Undefined: as the policy has it, which nobody here has changed. */
  readonly kept: State | undefined;
}

interface Seen {
  /** Whether SELinux is on. */
  readonly on: boolean;
  readonly booleans: ReadonlyMap<string, SeenBoolean>;
}

export default defineTask<Want, Seen>({
  summary: 'Booleans of SELinux, now and after a reboot. Where SELinux is off there is nothing to do.',
  params,
  touches: ({ booleans }) => Object.keys(booleans).map((name) => `selinux:boolean ${name}`),
  before: ({ booleans }) => Object.keys(booleans).map(booleanBefore),
  probe: ({ booleans }) => sh`if [ -e ${selinuxOn} ]; then
  printf 'selinux on\n'
  ${localSettings}
  set -- ${Object.keys(booleans)}
  for name do
    live=''
    [ ! -r "/sys/fs/selinux/booleans/$name" ] || read -r live _ <"/sys/fs/selinux/booleans/$name" || :
    printf 'boolean %s %s %s\n' "$name" "\${live:--}" "$(sed -n "s/^$name=//p" "$local/booleans.local" 2>/dev/null)"
  done
fi`,
  parse,
  plan(seen, want): readonly Change[] {
    if (!seen.on) return [];
    const wanted = Object.entries(want.booleans).map(([name, on]): Wanted => ({ name, on, ...seenOf(seen, name) }));
    const unknown = wanted.filter(({ live }) => live === undefined).map(({ name }) => name);
    if (unknown.length > 0) throw refuse(`the policy of this host has no boolean ${unknown.join(', ')}`, 'getsebool -a lists those it has');
    const kept = wanted.filter((each) => each.kept !== stateOf(each.on));
    const live = wanted.filter((each) => each.kept === stateOf(each.on) && each.live !== each.kept);
    return [...setChange(kept, 'kept'), ...setChange(live, 'live')];
  },
  settled: ({ booleans }, seen) => {
    const names = Object.entries(booleans).map(([name, on]) => `${name} ${stateOf(on)}`);
    return seen.on ? `${names.join(', ')}: now and after a reboot` : `SELinux is off; it needs no ${Object.keys(booleans).join(', ')}`;
  },
  example: { booleans: { httpd_can_network_connect: true } },
});

interface Wanted extends SeenBoolean {
  readonly name: string;
  readonly on: boolean;
}

const stateOf = (on: boolean): State => (on ? 'on' : 'off');
const seenOf = ({ booleans }: Seen, name: string): SeenBoolean => booleans.get(name) ?? { live: undefined, kept: undefined };

function parse({ stdout }: Output): Seen {
  const states: Readonly<Record<string, State>> = { '1': 'on', '0': 'off' };
  const said = [...stdout.matchAll(/^boolean (\S+) ([01-]) ?([01]?)$/gm)];
  return {
    on: /^selinux on$/m.test(stdout),
    booleans: new Map(said.map(([, name = '', live = '', kept = '']) => [name, { live: states[live], kept: states[kept] }])),
  };
}

/** All of them at once: for what is to be kept the policy is built anew, which takes seconds. */
function setChange(booleans: readonly Wanted[], when: 'kept' | 'live'): readonly Change[] {
  if (booleans.length === 0) return [];
  const words = booleans.map(({ name, on }) => `${name}=${on ? 1 : 0}`);
  const shown = (line: (each: Wanted) => string) => booleans.map((each) => `${each.name} ${line(each)}\n`).join('');
  return [
    {
      id: `${when}:booleans`,
      title: `set ${booleans.map(({ name, on }) => `${name} ${stateOf(on)}`).join(', ')}${when === 'kept' ? ', now and for every boot' : ' now'}`,
      was: shown(({ live, kept }) => `${live}, after a reboot ${kept ?? 'as the policy has it'}`),
      will: shown(({ on }) => `${stateOf(on)}, after a reboot ${stateOf(on)}`),
      unless: alreadyThere(words),
      run: when === 'kept' ? sh`setsebool -P ${words}` : sh`setsebool ${words}`,
      timeout: 300,
    },
  ];
}

function alreadyThere(words: readonly string[]): Sh {
  return lines(
    localSettings,
    sh`set -- ${words}
for each do
  read -r live _ <"/sys/fs/selinux/booleans/\${each%=*}" || :
  [ "$live" = "\${each#*=}" ] && grep -qxF -- "$each" "$local/booleans.local" || exit 1
done`,
  );
}
