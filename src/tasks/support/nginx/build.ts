/** How nginx is compiled. */
import { type Artefact, type Facts, lines, sh } from '../../../task.ts';
import { beginBuild, installMissing, packResult, runConfigure, runMake, unpackSource } from '../source/build.ts';
import { buildPlatform, shortHash } from '../source/platform.ts';
import { buildPackages } from './flags.ts';

/** Raise it when the same inputs give another tar.gz, so that no cache holds an older one for right. */
const recipe = 1;

interface NginxBuild {
  readonly version: string;
  readonly sha256: string;
  readonly sources: readonly string[];
  readonly prefix: string;
  readonly user: string;
  readonly group: string;
  readonly configure: readonly string[];
  readonly build_packages?: readonly string[] | undefined;
}

/** All arguments of configure, in the order in which they are given. */
export function configureArguments({ prefix, user, group, configure }: NginxBuild): readonly string[] {
  return [`--prefix=${prefix}`, `--user=${user}`, `--group=${group}`, ...configure];
}

export function nginxArtefact(want: NginxBuild, facts: Facts): Artefact {
  const manager = facts.packageManager === 'dnf' ? 'dnf' : 'apt';
  const packages = want.build_packages ?? buildPackages(want.version, want.configure, manager);
  const inputs = shortHash([recipe, want.sha256, [...configureArguments(want)].sort(), want.build_packages ?? []]);
  const key = `nginx-${want.version}-${buildPlatform(facts)}-${inputs}`;
  return {
    key,
    title: `build nginx ${want.version}`,
    sources: [{ sha256: want.sha256, name: `nginx-${want.version}.tar.gz`, from: want.sources }],
    build: lines(
      sh`(`,
      beginBuild(`nginx ${want.version}`, key),
      installMissing(facts.packageManager, packages),
      unpackSource(want.sha256, 'configure'),
      runConfigure(configureArguments(want)),
      runMake(objectFiles),
      sh`make install DESTDIR="$work/out/tree" >>"$log" 2>&1 || fail 'make install failed'
"$work/out/tree"${`${want.prefix}/sbin/nginx`} -V >>"$log" 2>&1 || fail 'the binary does not run'`,
      packResult(facts.packageManager, key),
      sh`)`,
    ),
    timeout: 3600,
  };
}

const objectFiles = { total: sh`grep -c '^objs/.*\\.o:' objs/Makefile`, compiles: sh`*'-o objs/'*.o | *'-o objs/'*'.o '*` };
