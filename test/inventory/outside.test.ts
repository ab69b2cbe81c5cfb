import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatError, LvsError } from '../../src/errors.ts';
import { loadInventory } from '../../src/inventory/load.ts';

const home = realpathSync(mkdtempSync(join(tmpdir(), 'lvsctl-outside-')));
const folder = join(home, 'clusters');
mkdirSync(join(folder, 'scripts'), { recursive: true });
for (const file of ['age.key', 'clusters/look.sh', 'clusters/scripts/look.sh']) writeFileSync(join(home, file), '#!/bin/sh\n');
symlinkSync('../../age.key', join(folder, 'scripts/link.sh'));
symlinkSync('..', join(folder, 'up'));
symlinkSync('clusters', join(home, 'linked'));

const sum = 'a'.repeat(64);

/** What an inventory says that names `file`: of `vrrp`, of its service, and at its end. */
const places: Readonly<Record<string, (file: string) => { readonly vrrp?: string; readonly service?: string; readonly end?: string }>> = {
  notify: (file) => ({ vrrp: `, notify: "${file}"` }),
  alarm: (file) => ({ vrrp: `, alarm: "${file}"` }),
  script: (file) => ({ vrrp: `, scripts: { look: { file: "${file}" } }, track_scripts: [look]` }),
  misc: (file) => ({ service: `, check: { misc: { script: "${file}" } }` }),
  nginx: (file) => ({ end: `nginx: { source: { version: 1.26.3, sha256: ${sum}, file: "${file}" } }` }),
  keepalived: (file) => ({ end: `keepalived: { source: { version: 2.2.7, sha256: ${sum}, file: "${file}" } }` }),
  ipvsadm: (file) => ({ end: `ipvsadm: { source: { version: "1.31", sha256: ${sum}, file: "${file}" } }` }),
};

/** The complaints about an inventory in the folder that names `file` there. */
function complaints(place: string, file: string, inFolder = folder): readonly string[] {
  const { vrrp = '', service = '', end = '' } = places[place]?.(file) ?? {};
  const text = `cluster: web
vrrp: { id: 51, interface: eth0${vrrp} }
services: [{ vip: 10.18.43.30, port: 80, scheduler: rr${service} }]
directors: { dr1: { address: 10.18.43.10, priority: 100 }, dr2: { address: 10.18.43.20, priority: 150 } }
backends: { web1: { address: 10.18.43.13 } }
${end}
`;
  writeFileSync(join(folder, 'web.yaml'), text);
  try {
    loadInventory(join(inFolder, 'web.yaml'));
    return [];
  } catch (error) {
    if (!(error instanceof LvsError)) throw error;
    return [error, ...error.others].map(formatError);
  }
}

test.each(Object.keys(places))('%s names a file of the folder of the inventory, or none', (place) => {
  for (const inside of ['look.sh', 'scripts/look.sh', './scripts/../look.sh', join(folder, 'look.sh'), 'scripts/../../clusters/look.sh']) {
    expect(complaints(place, inside)).toEqual([]);
  }
  for (const outside of ['../age.key', join(home, 'age.key'), '/etc/shadow', 'scripts/link.sh', 'up/age.key']) {
    expect(complaints(place, outside)).toEqual([
      expect.stringMatching(
        /^.*clusters\/web\.yaml:\d+:\d+: ".*" lies outside the folder of the inventory; .* copy it beside the inventory, into .*\/clusters$/,
      ),
    ]);
  }
});

test('a folder that is a link is the folder that it leads to', () => {
  expect(complaints('notify', 'look.sh', join(home, 'linked'))).toEqual([]);
  expect(complaints('notify', '../age.key', join(home, 'linked'))).toHaveLength(1);
});
