/** Runs lvsctl as users do: the built command, in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Report } from '../../src/model.ts';

/** The command line that starts lvsctl. */
export const command: readonly [string, string] = [process.execPath, fileURLToPath(new URL('../../bin/lvsctl.js', import.meta.url))];

export interface CliResult {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Who runs it, where: words before the command, such as `ip netns exec …`, and what the environment has beside the test's own. */
export interface Setting {
  readonly startedBy: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Told all that it prints. */
  readonly hear?: (text: string) => void;
}

export interface Cli {
  readonly lvsctl: (...words: readonly string[]) => Promise<CliResult>;
  /** The same with `--json`: stdout must be one document and nothing else. */
  readonly lvsctlJson: (...words: readonly string[]) => Promise<CliResult & { readonly report: Report }>;
}

export function cliIn({ startedBy, env, hear }: Setting): Cli {
  const lvsctl = async (...words: readonly string[]): Promise<CliResult> => {
    const [program = '', ...rest] = [...startedBy, ...command, ...words];
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1', ...env } });
    const stdout: string[] = [];
    const stderr: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => stdout.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.push(text));
    const [exit] = (await once(child, 'close')) as [number | null];
    hear?.([...stdout, ...stderr].join(''));
    return { exit, stdout: stdout.join(''), stderr: stderr.join('') };
  };
  const lvsctlJson: Cli['lvsctlJson'] = async (...words) => {
    const result = await lvsctl(...words, '--json');
    try {
      return { ...result, report: JSON.parse(result.stdout) as Report };
    } catch {
      throw new Error(`lvsctl ${words.join(' ')} printed no JSON: exit ${result.exit}\n${result.stdout}\n${result.stderr}`);
    }
  };
  return { lvsctl, lvsctlJson };
}

export const { lvsctl, lvsctlJson } = cliIn({ startedBy: [], env: {} });

/** Every planned or made change, as `host: title`. */
export function changeTitles(report: Report): readonly string[] {
  return report.hosts.flatMap((host) => host.steps.flatMap((step) => step.changes.map((change) => `${host.name}: ${change.title}`)));
}
