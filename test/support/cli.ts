/** Runs lvsctl as users do: the built command, in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Report } from '../../src/model.ts';

const command = fileURLToPath(new URL('../../bin/lvsctl.js', import.meta.url));

export interface CliResult {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function lvsctl(...words: readonly string[]): Promise<CliResult> {
  const child = spawn(process.execPath, [command, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
  const stdout: string[] = [];
  const stderr: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => stdout.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.push(text));
  const [exit] = (await once(child, 'close')) as [number | null];
  return { exit, stdout: stdout.join(''), stderr: stderr.join('') };
}

/** The same with `--json`: stdout must be one document and nothing else. */
export async function lvsctlJson(...words: readonly string[]): Promise<CliResult & { readonly report: Report }> {
  const result = await lvsctl(...words, '--json');
  try {
    return { ...result, report: JSON.parse(result.stdout) as Report };
  } catch {
    throw new Error(`lvsctl ${words.join(' ')} printed no JSON: exit ${result.exit}\n${result.stdout}\n${result.stderr}`);
  }
}

/** Every planned or made change, as `host: title`. */
export function changeTitles(report: Report): readonly string[] {
  return report.hosts.flatMap((host) => host.steps.flatMap((step) => step.changes.map((change) => `${host.name}: ${change.title}`)));
}
