/** The files that make a package repository known to apt (deb822 sources, key, preferences) and to dnf (repo file, key). */
import type { Facts } from '../../../task.ts';

/** Parameters of the task `package_repository`, with the key's text. */
export interface Repository {
  readonly name: string;
  readonly urls: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Armored; absent: nothing is signed. */
  readonly key: string | undefined;
  readonly priority: number | undefined;
  /** Names or patterns; only these are taken from it. Empty: all. */
  readonly packages: readonly string[];
  /** apt: what its Release file says it comes from; absent: it goes by the URL's host. */
  readonly origin: string | undefined;
}

export interface RepositoryFile {
  readonly path: string;
  /** Absent: there must be none. */
  readonly content: string | undefined;
}

/** Key, preferences, and last what makes the repository known; always these paths, so that what is no longer wanted is seen. */
export function repositoryFiles(want: Repository, manager: Facts['packageManager']): readonly RepositoryFile[] {
  return manager === 'dnf' ? dnfFiles(want) : aptFiles(want);
}

/** Where a repository of that name may have files, of either manager. */
export function repositoryPaths(name: string): readonly string[] {
  const nothing = { name, urls: [], suites: [], components: [], key: undefined, priority: undefined, packages: [], origin: undefined };
  return [...aptFiles(nothing), ...dnfFiles(nothing)].map(({ path }) => path);
}

const head = '# Managed by lvsctl: changes are overwritten\n';

function aptFiles(want: Repository): readonly RepositoryFile[] {
  const keyPath = `/etc/apt/keyrings/${want.name}.asc`;
  const flat = want.suites.length === 0;
  const fields = [
    'Types: deb',
    `URIs: ${want.urls.join(' ')}`,
    `Suites: ${flat ? './' : want.suites.join(' ')}`,
    !flat && `Components: ${want.components.join(' ')}`,
    want.key === undefined ? 'Trusted: yes' : `Signed-By: ${keyPath}`,
  ].filter((line) => line !== false);
  return [
    { path: keyPath, content: want.key },
    { path: `/etc/apt/preferences.d/${want.name}`, content: preferences(want) },
    { path: `/etc/apt/sources.list.d/${want.name}.sources`, content: `${head}${fields.map((line) => `${line}\n`).join('')}` },
  ];
}

/** apt takes the highest priority that any stanza for a package's own name gives it, and those for `*` only where there is none. */
function preferences({ urls, priority, packages, origin }: Repository): string | undefined {
  if (priority === undefined && packages.length === 0) return undefined;
  const pins = origin === undefined ? [...new Set(urls.map(siteOf))].map((site) => `origin "${site}"`) : [`release o=${origin}`];
  const stanza = (names: string, pin: string, number: number) => `Package: ${names}\nPin: ${pin}\nPin-Priority: ${number}\n`;
  const stanzas = pins.flatMap((pin) =>
    packages.length === 0 ? [stanza('*', pin, priority ?? 500)] : [stanza(packages.join(' '), pin, priority ?? 500), stanza('*', pin, -1)],
  );
  return `${head}${stanzas.join('\n')}`;
}

/** As `Pin: origin` compares it: the host without its port; empty for a folder of the host itself. */
export function siteOf(url: string): string {
  const { protocol, hostname } = new URL(url);
  return protocol === 'file:' ? '' : hostname;
}

function dnfFiles(want: Repository): readonly RepositoryFile[] {
  const keyPath = `/etc/pki/rpm-gpg/RPM-GPG-KEY-${want.name}`;
  const lines = [
    `[${want.name}]`,
    `name=${want.name}`,
    `baseurl=${want.urls.join(' ')}`,
    'enabled=1',
    ...(want.key === undefined ? ['gpgcheck=0'] : ['gpgcheck=1', `gpgkey=file://${keyPath}`]),
    ...(want.priority === undefined ? [] : [`priority=${want.priority}`]),
    ...(want.packages.length === 0 ? [] : [`includepkgs=${want.packages.join(' ')}`]),
  ];
  return [
    { path: keyPath, content: want.key },
    { path: `/etc/yum.repos.d/${want.name}.repo`, content: `${head}${lines.map((line) => `${line}\n`).join('')}` },
  ];
}
