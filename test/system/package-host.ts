/**
 * A host whose package manager is real, and none of it on this machine: a mount namespace for every script, in which what apt, dpkg,
 * dnf and rpm keep is a folder of the test's own. Its only repository has `lvsctl-hello` in two versions, built here. Needs root.
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

export function openPackageHost(manager: 'apt' | 'dnf'): PackageHost {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-packages-'));
  chmodSync(folder, 0o755);
  for (const name of [...own, 'sbin', 'work', 'repository']) mkdirSync(join(folder, name));
  execFileSync('cp', ['-a', '/etc/.', join(folder, 'etc')]);
  if (manager === 'apt') makeApt(folder);
  else makeDnf(folder);
  return {
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
  const { stdout, stderr, status } = spawnSync('unshare', ['--mount', 'dash'], { input, encoding: 'utf8', timeout: 300_000 });
  return { stdout, stderr, exit: status ?? -1 };
}

function makeApt(folder: string): void {
  for (const [number, version] of ['1:1.0-1', '1:2.0-1'].entries()) {
    const root = join(folder, `deb${number}`);
    mkdirSync(join(root, 'DEBIAN'), { recursive: true });
    const control = ['Package: lvsctl-hello', `Version: ${version}`, 'Architecture: all', 'Maintainer: nobody <nobody@example.org>'];
    writeFileSync(join(root, 'DEBIAN/control'), `${[...control, 'Description: says hello'].join('\n')}\n`);
    writeFileSync(join(root, 'DEBIAN/postinst'), `#!/bin/sh\nset -e\n${script}`, { mode: 0o755 });
    mkdirSync(join(root, 'opt/lvsctl-hello'), { recursive: true });
    writeFileSync(join(root, 'opt/lvsctl-hello/version'), `${version}\n`);
    execFileSync('dpkg-deb', ['--root-owner-group', '--build', root, join(folder, 'repository', `hello${number}.deb`)], { stdio: 'pipe' });
  }
  const packages = execFileSync('apt-ftparchive', ['packages', '.'], {
    cwd: join(folder, 'repository'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  writeFileSync(join(folder, 'repository/Packages'), packages);
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

const spec = (version: string): string => `Name: lvsctl-hello
Epoch: 1
Version: ${version}
Release: 1
Summary: says hello
License: MIT
BuildArch: noarch
%description
Says hello.
%install
mkdir -p %{buildroot}/opt/lvsctl-hello
echo ${version} >%{buildroot}/opt/lvsctl-hello/version
%files
/opt/lvsctl-hello/version
`;

function makeDnf(folder: string): void {
  for (const version of ['1.0', '2.0']) {
    writeFileSync(join(folder, `${version}.spec`), spec(version));
    const defines = [`_topdir ${folder}/rpmbuild`, `_rpmdir ${folder}/repository`, `_dbpath ${folder}/rpmdb`];
    execFileSync('rpmbuild', ['-bb', ...defines.flatMap((define) => ['--define', define]), join(folder, `${version}.spec`)], {
      stdio: 'pipe',
    });
  }
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
