import { z } from 'zod';
import { type Change, defineTask, lines, type PlanContext, refuse, type Sh, sh } from '../task.ts';
import { removeChange } from './support/files/file-states.ts';
import { fileChange, filesProbe, parseFiles, type SeenFile } from './support/files/write-file.ts';
import { oneOrMore, toList } from './support/params.ts';

const moduleName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'the name of a kernel module, such as ip_vs');

const params = z
  .strictObject({
    name: oneOrMore(moduleName).describe('Kernel module, or list of modules.'),
    options: z
      .record(
        z.string().regex(/^[A-Za-z0-9_-]+$/, 'the name of a module option'),
        z.union([z.int(), z.string().regex(/^[!-~]+$/, 'a value without spaces')]),
      )
      .optional()
      .describe('Options of the module, by name; they count from the next time it is loaded. Only with a single module.'),
    persistent: z.boolean().default(true).describe('Whether it is loaded at every boot as well as now.'),
  })
  .refine(
    (want) => want.options === undefined || toList(want.name).length === 1,
    '"options" belong to one module: give each module a step of its own',
  );

type Want = z.infer<typeof params>;

interface SeenModule {
  readonly name: string;
  readonly loaded: boolean;
  /** The file that loads it at boot. */
  readonly boot: SeenFile;
}

interface Seen {
  readonly modules: readonly SeenModule[];
  /** The file with its options; not looked at where none are wanted. */
  readonly options: SeenFile | undefined;
  /** What the loaded module uses, of the options that it shows. */
  readonly live: ReadonlyMap<string, string>;
}

export default defineTask<Want, Seen>({
  summary: 'A module of the kernel: loaded now, and loaded at boot.',
  params,
  touches: (want) => [...toList(want.name).map((name) => `module:${name}`), ...paths(want).map((path) => `file:${path}`)],
  probe: (want) => lines(filesProbe(paths(want)), loadedProbe(toList(want.name)), liveOptionsProbe(want)),
  parse: (output, want) => {
    const names = toList(want.name);
    const { files, rest } = parseFiles(output, paths(want));
    const said = (kind: string) =>
      [...rest.matchAll(new RegExp(`^${kind} (\\S+) ?(.*)$`, 'gm'))].map(([, key = '', value = '']) => [key, value] as const);
    const loaded = new Map(said('loaded'));
    return {
      modules: names.map((name, index) => ({ name, loaded: loaded.has(name), boot: files[index] as SeenFile })),
      options: want.options && files[names.length],
      live: new Map(said('option')),
    };
  },
  plan: (seen, want, context) => {
    refuseOptions(want, context);
    return [
      ...optionsFile(seen, want, context),
      ...seen.modules.filter(({ loaded }) => !loaded).map(({ name }) => load(name)),
      ...seen.modules.flatMap((module) => atBoot(module, want, context)),
    ];
  },
  pendingReboot: (seen, want) => (seen.modules[0]?.loaded ? staleOptions(seen, want) : []),
  settled: (want) => {
    const names = toList(want.name);
    return `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} loaded${want.persistent ? ', now and at boot' : ''}`;
  },
  example: { name: ['ip_vs', 'ip_vs_rr'], persistent: true },
});

function bootFile(name: string): string {
  return `/etc/modules-load.d/lvsctl-${name}.conf`;
}

function optionsPath(name: string): string {
  return `/etc/modprobe.d/lvsctl-${name}.conf`;
}

function paths(want: Want): readonly string[] {
  const names = toList(want.name);
  return [...names.map(bootFile), ...(want.options ? names.map(optionsPath) : [])];
}

/** The kernel writes "_" where a name has "-". */
function inSys(name: string): string {
  return `/sys/module/${name.replaceAll('-', '_')}`;
}

/** No process for a loaded module; for another one, modprobe knows whether the kernel has it built in. */
function loadedProbe(names: readonly string[]): Sh {
  return lines(
    ...names.map(
      (name) => sh`name=${name}
if [ -d ${inSys(name)} ]; then printf 'loaded %s\n' "$name"; else
  case $(modprobe -n -q --show-depends -- "$name" 2>/dev/null) in builtin*) printf 'loaded %s\n' "$name" ;; esac
fi`,
    ),
  );
}

function liveOptionsProbe(want: Want): Sh {
  const [name = ''] = toList(want.name);
  return lines(
    ...Object.keys(want.options ?? {}).map(
      (option) =>
        sh`[ ! -r ${`${inSys(name)}/parameters/${option}`} ] || { read -r value <${`${inSys(name)}/parameters/${option}`}; printf 'option %s %s\n' ${option} "$value"; }`,
    ),
  );
}

function optionsFile(seen: Seen, want: Want, context: PlanContext): readonly Change[] {
  const [name = ''] = toList(want.name);
  if (!seen.options || !want.options) return [];
  const words = Object.entries(want.options).map(([option, value]) => ` ${option}=${value}`);
  return fileChange({
    seen: seen.options,
    path: optionsPath(name),
    content: `options ${name}${words.join('')}\n`,
    makeParent: true,
    context,
  });
}

function load(name: string): Change {
  return {
    id: `load:${name}`,
    title: `load the kernel module ${name}`,
    was: '',
    will: `${name} loaded\n`,
    run: sh`modprobe -- ${name}`,
    unless: sh`[ -d ${inSys(name)} ]`,
  };
}

function atBoot({ name, boot }: SeenModule, want: Want, context: PlanContext): readonly Change[] {
  if (!want.persistent) return removeChange(boot, bootFile(name));
  return fileChange({ seen: boot, path: bootFile(name), content: `${name}\n`, makeParent: true, context });
}

/**
 * IP_VS_TAB_BITS of the kernel's Kconfig: 8 to 20, and up to 27 on 64-bit kernels since 6.5. With another value the module is loaded all
 * the same, with the size that it was built with: better said before.
 */
function refuseOptions(want: Want, { facts }: PlanContext): void {
  const bits = want.options?.conn_tab_bits;
  if (bits === undefined || toList(want.name)[0] !== 'ip_vs') return;
  const [major = 0, minor = 0] = facts.kernel.split('.').map((part) => Number.parseInt(part, 10));
  const wide = (major > 6 || (major === 6 && minor >= 5)) && !/^(i[3-6]86|armv[5-7].*|mips|ppc|s390)$/.test(facts.architecture);
  const most = wide ? 27 : 20;
  if (Number(bits) >= 8 && Number(bits) <= most) return;
  throw refuse(`conn_tab_bits=${bits} is out of range for Linux ${facts.kernel}`, `say 8 to ${most}`);
}

/** A loaded module keeps its options until the next boot; it is never unloaded under running connections. */
function staleOptions(seen: Seen, want: Want): readonly string[] {
  const [name = ''] = toList(want.name);
  return Object.entries(want.options ?? {}).flatMap(([option, value]) => {
    const live = seen.live.get(option);
    return live === undefined || plain(live) === plain(String(value))
      ? []
      : [`${name} runs with ${option}=${live}; ${option}=${value} counts from the next boot`];
  });
}

/** The kernel shows a switch as Y or N and takes 1 and 0 too. */
function plain(value: string): string {
  return ({ Y: '1', y: '1', N: '0', n: '0' } as Readonly<Record<string, string>>)[value] ?? value;
}
