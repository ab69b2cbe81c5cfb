import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabSettings } from '../model.ts';
import type { Layout } from './layout.ts';

/** What a lab says of itself in its folder once it is whole; without this file it is a leftover. */
export interface LabState {
  /** Absolute path of the inventory. */
  readonly file: string;
  readonly layout: Layout;
  /** Path of the kernel. */
  readonly kernel: string;
  readonly image: { readonly key: string; readonly disk: string; readonly repository: string };
  readonly settings: LabSettings;
}

export async function writeState(directory: string, state: LabState): Promise<void> {
  await writeFile(join(directory, 'lab.json'), `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
}

/** undefined when there is no lab in `directory`, or none that came up. */
export function readState(directory: string): LabState | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, 'lab.json'), 'utf8')) as LabState;
  } catch {
    return undefined;
  }
}
