/** How keepalived is compiled: the words of its `configure`, what they need, and the unit that runs the result. */
import { z } from 'zod';
import { type Artefact, type Facts, lines, sh } from '../../../task.ts';
import { beginBuild, installMissing, onlyBelow, packResult, runConfigure, runMake, unpackSource } from '../source/build.ts';
import { buildPlatform, shortHash } from '../source/platform.ts';
import { configPath, pidFile } from './process.ts';

/** Raise it when the same inputs give another tar.gz, so that no cache holds an older one for right. */
const recipe = 1;

/** `keepalived -v` prints its words without quotes, so values have no blanks. */
export const keepalivedFlag = z
  .string()
  .max(500)
  .regex(
    /^--[a-z][A-Za-z0-9_-]*(=[A-Za-z0-9_./:@%+,=-]+)?$/,
    "a word of keepalived's configure, such as --enable-json or --disable-nftables",
  )
  .refine(
    (flag) => !/^--((exec-)?prefix|s?bindir|sysconfdir|with-init|with-systemdsystemunitdir|with-default-config-file|help)(=|$)/.test(flag),
    {
      error: 'the prefix is a parameter of its own; the configuration is /etc/keepalived/keepalived.conf, and systemd starts it',
    },
  );

interface KeepalivedBuild {
  readonly version: string;
  readonly sha256: string;
  readonly sources: readonly string[];
  readonly prefix: string;
  readonly configure: readonly string[];
  readonly build_packages?: readonly string[] | undefined;
}

/** All arguments of configure. Where make puts its unit does not matter: it is not used, but must not lie outside of the prefix. */
export function configureArguments({ prefix, configure }: Pick<KeepalivedBuild, 'prefix' | 'configure'>): readonly string[] {
  const fixed = [`--prefix=${prefix}`, '--sysconfdir=/etc', '--with-init=systemd'];
  return [...fixed, `--with-systemdsystemunitdir=${prefix}/lib/systemd/system`, ...configure];
}

/** True when it tells systemd itself that it is up. */
export function notifies(configure: readonly string[]): boolean {
  return !configure.includes('--disable-systemd');
}

export function keepalivedArtefact(want: KeepalivedBuild, facts: Facts): Artefact {
  const packages = want.build_packages ?? buildPackages(want.configure, facts.packageManager === 'dnf' ? 'dnf' : 'apt');
  const inputs = shortHash([recipe, want.sha256, [...configureArguments(want)].sort(), want.build_packages ?? []]);
  const key = `keepalived-${want.version}-${buildPlatform(facts)}-${inputs}`;
  const binary = `${want.prefix}/sbin/keepalived`;
  return {
    key,
    title: `build keepalived ${want.version}`,
    sources: [{ sha256: want.sha256, name: `keepalived-${want.version}.tar.gz`, from: want.sources }],
    build: lines(
      sh`(`,
      beginBuild(`keepalived ${want.version}`, key),
      installMissing(facts.packageManager, packages),
      unpackSource(want.sha256, 'configure'),
      runConfigure(configureArguments(want)),
      runMake({ total: sh`find . -name '*.c' | grep -c .`, compiles: sh`*' CC '*` }),
      sh`make install DESTDIR="$work/out/tree" >>"$log" 2>&1 || fail 'make install failed'`,
      onlyBelow(want.prefix),
      sh`"$work/out/tree"${binary} -v >"$work/said" 2>&1 || { cat "$work/said" >>"$log"; fail 'the binary does not run'; }`,
      notifies(want.configure) &&
        sh`grep -q SYSTEMD_NOTIFY "$work/said" || fail 'systemd support is missing: the development files of libsystemd, or the flag --disable-systemd'`,
      packResult(facts.packageManager, key),
      sh`)`,
    ),
    timeout: 3600,
  };
}

/** Debian's packages and those of the Red Hat family, by what asks for them. */
const libraries = {
  base: {
    apt: ['gcc', 'make', 'libc6-dev', 'pkg-config', 'libssl-dev', 'libnl-3-dev', 'libnl-genl-3-dev'],
    dnf: ['gcc', 'make', 'glibc-devel', 'pkgconf-pkg-config', 'openssl-devel', 'libnl3-devel'],
  },
  systemd: { apt: ['libsystemd-dev'], dnf: ['systemd-devel'] },
  nftables: { apt: ['libnftnl-dev', 'libmnl-dev'], dnf: ['libnftnl-devel', 'libmnl-devel'] },
  json: { apt: ['libjson-c-dev'], dnf: ['json-c-devel'] },
  regex: { apt: ['libpcre2-dev'], dnf: ['pcre2-devel'] },
  snmp: { apt: ['libsnmp-dev'], dnf: ['net-snmp-devel'] },
  dbus: { apt: ['libglib2.0-dev'], dnf: ['glib2-devel'] },
} as const;

/** What must be installed to compile with these flags. nftables is not asked for, but without it `vrrp_strict` and `no_accept` do nothing. */
export function buildPackages(flags: readonly string[], manager: 'apt' | 'dnf'): readonly string[] {
  const has = (pattern: RegExp): boolean => flags.some((flag) => pattern.test(flag));
  const wanted: readonly (keyof typeof libraries | false)[] = [
    'base',
    notifies(flags) && 'systemd',
    !has(/^--disable-nftables$/) && 'nftables',
    has(/^--enable-json$/) && 'json',
    has(/^--enable-regex$/) && 'regex',
    has(/^--enable-snmp/) && 'snmp',
    has(/^--enable-dbus/) && 'dbus',
  ];
  return wanted.flatMap((library) => (library === false ? [] : libraries[library][manager]));
}

/** Stopping it signals the main process alone, which then stops its children in order. */
export function keepalivedUnit({ prefix, configure }: Pick<KeepalivedBuild, 'prefix' | 'configure'>): string {
  const notify = notifies(configure);
  return `# Managed by lvsctl: changes are overwritten
[Unit]
Description=keepalived from ${prefix}
Wants=network-online.target
After=network-online.target

[Service]
Type=${notify ? 'notify' : 'forking'}
PIDFile=${pidFile}
KillMode=process
ExecStart=${prefix}/sbin/keepalived${notify ? ' --dont-fork' : ''} --use-file=${configPath} --pid=${pidFile}
ExecReload=/bin/kill -s HUP $MAINPID

[Install]
WantedBy=multi-user.target
`;
}
