/**
 * A host whose package manager is real, and none of it on this machine: a mount namespace for every script, in which what apt, dpkg,
 * dnf and rpm keep is a folder of the test's own. Its only repository has `lvsctl-hello` in two versions, and `lvsctl-greeting`, which that needs, built here. Needs root.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Output } from '../../src/model.ts';
import { preamble } from '../../src/sh/frame.ts';
import { quote, renderSh, type Sh } from '../../src/sh/sh.ts';

export interface PackageHost {
  /** As the runner runs a change, or as a probe does. */
  run(fragment: Sh): Output;
  close(): void;
  /** Everything of the host lies below it, by the same path inside and outside. */
  readonly folder: string;
}

/** Folders that a package manager writes to; each is the test's own. */
const own = ['etc', 'var', 'opt', 'run'];

/** What the script of Debian's package was told: whether services may start, and what needrestart may do. */
const told = '/opt/lvsctl-hello/told';
const script = `mkdir -p /opt/lvsctl-hello
code=0
/usr/sbin/policy-rc.d hello start || code=$?
echo "policy $code" >${told}
echo "needrestart $NEEDRESTART_MODE" >>${told}
`;

/** Without `repository` the host knows none. */
export function openPackageHost(manager: 'apt' | 'dnf', { repository = true } = {}): PackageHost {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-packages-'));
  chmodSync(folder, 0o755);
  for (const name of [...own, 'var/tmp', 'home', 'sbin', 'work', 'repository']) mkdirSync(join(folder, name));
  execFileSync('cp', ['-a', '/etc/.', join(folder, 'etc')]);
  if (manager === 'apt') makeApt(folder);
  else makeDnf(folder);
  if (!repository) for (const file of ['etc/apt/sources.list', 'etc/yum.repos.d/hello.repo']) rmSync(join(folder, file), { force: true });
  return {
    folder,
    run: (fragment) =>
      runIn(
        folder,
        renderSh(fragment, (value) => value),
      ),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function runIn(folder: string, text: string): Output {
  const mounts = [
    ...own.map((name) => `mount --bind ${quote(join(folder, name))} /${name}`),
    `mount -t overlay none -o lowerdir=/usr/sbin,upperdir=${folder}/sbin,workdir=${folder}/work /usr/sbin`,
    'rm -f /usr/sbin/policy-rc.d',
  ];
  const input = `{ set -e\n${mounts.join('\n')}\nset +e\n${preamble}\n( eval ${quote(text)} ) </dev/null\n}`;
  const { stdout, stderr, status } = spawnSync('unshare', ['--mount', 'dash'], {
    input,
    encoding: 'utf8',
    timeout: 300_000,
    // Debian's rpm keeps its database there.
    env: { ...process.env, HOME: join(folder, 'home') },
  });
  return { stdout, stderr, exit: status ?? -1 };
}

/** Builds `NAME_VERSION.deb` in `to`. */
export function buildDeb(to: string, name: string, version: string, more: readonly string[] = []): void {
  const root = mkdtempSync(join(tmpdir(), 'lvsctl-deb-'));
  chmodSync(root, 0o755);
  mkdirSync(join(root, 'DEBIAN'));
  const control = [`Package: ${name}`, `Version: ${version}`, 'Architecture: all', 'Maintainer: nobody <nobody@example.org>', ...more];
  writeFileSync(join(root, 'DEBIAN/control'), `${[...control, 'Description: says hello'].join('\n')}\n`);
  writeFileSync(join(root, 'DEBIAN/postinst'), `#!/bin/sh\nset -e\n${script}`, { mode: 0o755 });
  mkdirSync(join(root, 'opt', name), { recursive: true });
  writeFileSync(join(root, 'opt', name, 'version'), `${version}\n`);
  const file = join(to, `${name}_${version.replace(':', '%3a')}_all.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', root, file], { stdio: 'pipe' });
  rmSync(root, { recursive: true });
}

function makeApt(folder: string): void {
  const repository = join(folder, 'repository');
  for (const version of ['1:1.0-1', '1:2.0-1']) buildDeb(repository, 'lvsctl-hello', version, ['Depends: lvsctl-greeting']);
  buildDeb(repository, 'lvsctl-greeting', '1.0-1');
  const packages = execFileSync('apt-ftparchive', ['packages', '.'], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  writeFileSync(join(repository, 'Packages'), packages);
  const etc = join(folder, 'etc/apt');
  rmSync(etc, { recursive: true });
  mkdirSync(join(etc, 'apt.conf.d'), { recursive: true });
  writeFileSync(join(etc, 'apt.conf.d/00sandbox'), 'APT::Sandbox::User "root";\n');
  writeFileSync(join(etc, 'sources.list'), `deb [trusted=yes] file:${folder}/repository ./\n`);
  for (const name of [
    'lib/dpkg/info',
    'lib/dpkg/updates',
    'lib/dpkg/triggers',
    'lib/apt/lists/partial',
    'cache/apt/archives/partial',
    'log/apt',
  ])
    mkdirSync(join(folder, 'var', name), { recursive: true });
  writeFileSync(join(folder, 'var/lib/dpkg/status'), '');
}

const spec = (name: string, version: string, more: readonly string[]): string => `Name: ${name}
Epoch: 1
Version: ${version}
Release: 1
Summary: says hello
License: MIT
BuildArch: noarch
${more.join('\n')}
%description
Says hello.
%install
mkdir -p %{buildroot}/opt/${name}
echo ${version} >%{buildroot}/opt/${name}/version
%files
/opt/${name}/version
`;

/** Builds a package in `noarch` of the folder `to`. */
export function buildRpm(to: string, name: string, version: string, more: readonly string[] = []): void {
  const work = mkdtempSync(join(tmpdir(), 'lvsctl-rpm-'));
  writeFileSync(join(work, 'package.spec'), spec(name, version, more));
  const defines = [`_topdir ${work}/rpmbuild`, `_rpmdir ${to}`, `_dbpath ${work}/rpmdb`];
  execFileSync('rpmbuild', ['-bb', ...defines.flatMap((define) => ['--define', define]), join(work, 'package.spec')], { stdio: 'pipe' });
  rmSync(work, { recursive: true });
}

function makeDnf(folder: string): void {
  for (const version of ['1.0', '2.0']) buildRpm(join(folder, 'repository'), 'lvsctl-hello', version, ['Requires: lvsctl-greeting']);
  buildRpm(join(folder, 'repository'), 'lvsctl-greeting', '1.0');
  execFileSync('createrepo_c', ['--quiet', join(folder, 'repository')], { stdio: 'pipe' });
  mkdirSync(join(folder, 'etc/yum.repos.d'), { recursive: true });
  const repository = ['[hello]', 'name=hello', `baseurl=file://${folder}/repository`, 'gpgcheck=0', 'enabled=1'];
  writeFileSync(join(folder, 'etc/yum.repos.d/hello.repo'), `${repository.join('\n')}\n`);
  writeFileSync(join(folder, 'etc/dnf/vars/releasever'), '9\n');
  writeFileSync(join(folder, 'etc/dnf/plugins/versionlock.list'), '');
  // Debian's package switches on a repository of what was downloaded before, and its signatures are checked.
  writeFileSync(join(folder, 'etc/dnf/plugins/local.conf'), '[main]\nenabled = false\n');
  for (const name of ['lib/rpm', 'lib/dnf', 'cache/dnf', 'log']) mkdirSync(join(folder, 'var', name), { recursive: true });
}
