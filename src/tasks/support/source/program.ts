/** What programs built from source have in common, beside nginx: their parameters, links in the PATH, and no package of the same name. */
import { posix } from 'node:path';
import { z } from 'zod';
import { lines, refuse, type Sh, sh } from '../../../task.ts';
import { text } from '../params.ts';
import { installPrefix } from './configure.ts';
import { placeBinary, placeFiles, type SourceInstall } from './install.ts';

/** Parameters that say where the source comes from and where the result goes. */
export const sourceParams = {
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits in small letters')
    .describe('SHA-256 of the source archive'),
  sources: z
    .array(text.min(1))
    .min(1)
    .describe(
      'Where the control machine gets the source, tried in order: paths, URLs, or "debian-source:NAME" for the tarball in a source package of Debian',
    ),
  prefix: installPrefix.describe('Folder that it is installed to; its programs are linked into /usr/local/sbin'),
  build_packages: z
    .array(z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9.+_-]*$/, 'the name of a package'))
    .optional()
    .describe('Packages that a build needs, instead of those that follow from the flags'),
};

/** Where every probe and every administrator finds a program. */
const linkFolder = '/usr/local/sbin';

interface Program {
  readonly prefix: string;
  /** Below the prefix. */
  readonly programs: readonly string[];
}

/** All that an installation puts on a host: the tree, or in one that was there its programs, and the links. */
export function programTouches({ prefix, programs }: Program): readonly string[] {
  const links = programs.map((program) => `file:${linkFolder}/${posix.basename(program)}`);
  return [`tree:${prefix}`, ...programs.map((program) => `file:${prefix}/${program}`), ...links];
}

/** Prints `link TARGET` for each program's link in order (`link -` where there is none, `link .` where something else lies there), and `packaged installed VERSION`. */
export function programProbe(name: string, { programs }: Program): Sh {
  return sh`set -- ${programs.map((program) => posix.basename(program))}
for program do
  link=${linkFolder}/$program
  if [ -L "$link" ]; then printf 'link %s\n' "$(readlink -- "$link")"; elif [ -e "$link" ]; then printf 'link .\n'; else printf 'link -\n'; fi
done
! command -v dpkg-query >/dev/null || dpkg-query -W -f='packaged \${db:Status-Status} \${Version}\\n' -- ${name} 2>/dev/null
! command -v rpm >/dev/null || rpm -q --qf 'packaged installed %{EVR}\\n' -- ${name} 2>/dev/null`;
}

export interface SeenProgram {
  /** Targets of the links, in the order of the programs. */
  readonly links: readonly string[];
  /** Version of the distribution's package of that name, where it is installed. */
  readonly packaged: string | undefined;
}

export function parseProgram(stdout: string): SeenProgram {
  return {
    links: [...stdout.matchAll(/^link ([^\n]+)$/gm)].map(([, target = '']) => target),
    packaged: /^packaged installed ([0-9A-Za-z.+:~^_-]+)$/m.exec(stdout)?.[1],
  };
}

/** Throws `refused` where the package is installed, or a file that is no link lies where a link belongs. */
export function refuseOthers(name: string, seen: SeenProgram, { programs }: Program, why: string): void {
  if (seen.packaged !== undefined) {
    throw refuse(
      `the package ${name} ${seen.packaged} is installed: ${why}`,
      `remove it in a run of its own: package: { name: ${name}, state: absent }`,
    );
  }
  const file = programs.find((_, index) => seen.links[index] === '.');
  if (file) throw refuse(`${linkFolder}/${posix.basename(file)} is a file of somebody else's`, 'remove it, or move it away');
}

/** True when every link leads to its program. */
export function isLinked({ links }: SeenProgram, { prefix, programs }: Program): boolean {
  return programs.every((program, index) => links[index] === `${prefix}/${program}`);
}

/** The same on the host; exits 0. */
export function linksAreThere({ prefix, programs }: Program): Sh {
  return sh`set -- ${programs}
for program do [ "$(readlink -- ${linkFolder}/"\${program##*/}")" = ${prefix}/"$program" ] || exit 1; done`;
}

/** Puts the tree in place and sets the links. Between `openBuild` and the end of its subshell. */
export function placeProgram(install: SourceInstall, { prefix, programs }: Program): Sh {
  return lines(
    placeFiles(install.binary),
    placeBinary(install),
    sh`mkdir -p ${linkFolder} || exit 1
set -- ${programs}
for program do
  link=${linkFolder}/\${program##*/}
  [ "$(readlink -- "$link")" = ${prefix}/"$program" ] || { rm -f -- "$link" && ln -s -- ${prefix}/"$program" "$link"; } || exit 1
done`,
  );
}
