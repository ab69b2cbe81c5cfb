/** A repository beside the host's own, signed with a key made for it: `lvsctl-hello` 3.0 and `lvsctl-extra` 1.0. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildDeb, buildRpm } from './package-host.ts';

export interface SignedRepository {
  readonly url: string;
  /** In armor. */
  readonly key: string;
  /** In armor; signs nothing. */
  readonly otherKey: string;
}

/** Below `folder`. For apt it has one suite, `stable`, of one component, `main`, and says that its origin is `Team`. */
export function makeSignedRepository(folder: string, manager: 'apt' | 'dnf'): SignedRepository {
  const root = join(folder, 'team');
  const env = { ...process.env, GNUPGHOME: join(folder, 'gnupg') };
  mkdirSync(env.GNUPGHOME, { mode: 0o700 });
  const gpg = (...words: readonly string[]): string =>
    execFileSync('gpg', ['--batch', '--yes', '--pinentry-mode', 'loopback', '--passphrase', '', ...words], {
      env,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  const newKey = (who: string): string => {
    gpg('--quick-generate-key', `${who} <${who}@example.org>`, 'rsa2048', 'sign', 'never');
    return gpg('--armor', '--export', `${who}@example.org`);
  };
  const keys = { key: newKey('team'), otherKey: newKey('other') };
  if (manager === 'apt') {
    const suite = join(root, 'dists/stable');
    mkdirSync(join(suite, 'main/binary-amd64'), { recursive: true });
    mkdirSync(join(root, 'pool'));
    buildDeb(join(root, 'pool'), 'lvsctl-hello', '1:3.0-1');
    buildDeb(join(root, 'pool'), 'lvsctl-extra', '1.0-1');
    const ftparchive = (...words: readonly string[]) =>
      execFileSync('apt-ftparchive', words, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    writeFileSync(join(suite, 'main/binary-amd64/Packages'), ftparchive('packages', 'pool'));
    const fields = { Origin: 'Team', Suite: 'stable', Codename: 'stable', Architectures: 'amd64', Components: 'main' };
    const options = Object.entries(fields).flatMap(([name, value]) => ['-o', `APT::FTPArchive::Release::${name}=${value}`]);
    writeFileSync(join(suite, 'Release'), ftparchive(...options, 'release', 'dists/stable'));
    gpg('-u', 'team@example.org', '--clearsign', '-o', join(suite, 'InRelease'), join(suite, 'Release'));
  } else {
    mkdirSync(root);
    buildRpm(root, 'lvsctl-hello', '3.0');
    buildRpm(root, 'lvsctl-extra', '1.0');
    const packages = execFileSync('find', [root, '-name', '*.rpm'], { encoding: 'utf8' }).trim().split('\n');
    execFileSync('rpmsign', ['--define', '_gpg_name team@example.org', '--define', '__gpg /usr/bin/gpg', '--addsign', ...packages], {
      env,
      stdio: 'pipe',
    });
    execFileSync('createrepo_c', ['--quiet', root], { stdio: 'pipe' });
  }
  execFileSync('gpgconf', ['--kill', 'all'], { env, stdio: 'pipe' });
  return { url: `file://${root}`, ...keys };
}
