/** `lvsctl init`: a commented inventory to begin with. */
import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { EXIT, LvsError } from '../../errors.ts';
import { loadTemplate, renderTemplate } from '../../templates/render.ts';
import { say } from '../../view/say.ts';
import { printDocument } from '../document.ts';

export interface InitFlags {
  readonly json?: boolean;
}

/** VRRP has 255. Drawn once and written down: one that followed from names or addresses would be the same in every copy of a cluster. */
function drawnId(): number {
  return randomInt(1, 256);
}

/** Throws LvsError (exit 4) where there is an inventory already, which stays as it is, or none can be written. */
export function init(folder: string, flags: InitFlags): void {
  const file = join(folder, 'inventory.yaml');
  const values = { cluster: clusterName(folder), id: drawnId() };
  const text = renderTemplate(loadTemplate('inventory.yaml.ejs'), values);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text, { flag: 'wx' });
  } catch (cause) {
    throw unwritable(file, cause);
  }
  const next = [
    `put your addresses into ${file}`,
    `rehearse it: lvsctl lab up ${file} && lvsctl deploy ${file} --lab`,
    `see what it would change: lvsctl plan ${file} --diff`,
  ];
  if (flags.json) printDocument('init', EXIT.done, { file, cluster: values.cluster, vrid: values.id, next });
  else say([`${file} is there: the cluster ${values.cluster}, with VRID ${values.id}`, ...next.map((line) => `  ${line}`)].join('\n'));
}

/** The folder's name as far as it can be a cluster's. */
function clusterName(folder: string): string {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63);
  return name.replace(/^-|-$/g, '') || 'web';
}

function unwritable(file: string, cause: unknown): LvsError {
  const { code = '', message = '' } = cause as NodeJS.ErrnoException;
  if (code === 'EEXIST')
    return new LvsError('this file is there already, and is left as it is', {
      ...{ code: 'init.exists', exitCode: EXIT.badInput, where: { file } },
      hint: 'name another folder: lvsctl init DIR',
    });
  return new LvsError(`this file cannot be written: ${message}`, {
    code: 'init.unwritable',
    exitCode: EXIT.badInput,
    where: { file },
    cause,
  });
}
