/**
 * Golden cases of tasks: parameters and what a real host answered, against the changes that must come of it. One JSON file is one
 * case: test/golden/tasks/TASK/WHAT.json. test/tasks/golden.test.ts runs them all.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LvsError } from '../../src/errors.ts';
import type { Facts, Output } from '../../src/model.ts';
import type { AnyTask } from '../../src/task.ts';
import { planContext } from './plan-context.ts';

export interface GoldenCase {
  /** Where the output was recorded: "Debian 12, nothing installed". */
  readonly recorded: string;
  readonly params: unknown;
  /** What differs from a Debian 12 host with systemd. */
  readonly facts?: Partial<Facts>;
  /** Name of a host of the S0 fleet; web1 unless said. */
  readonly host?: string;
  /** A list of lines stands for the lines joined, each with its newline. */
  readonly output: { readonly stdout: string | readonly string[]; readonly stderr?: string; readonly exit?: number };
  /** In order; `was` and `will` are compared where they are given. */
  readonly changes: readonly { readonly id: string; readonly title: string; readonly was?: string; readonly will?: string }[];
  /** Needed when there are no changes: the whole sentence. */
  readonly settled?: string;
  readonly pendingReboot?: readonly string[];
  /** The message with which `plan` refuses, instead of changes. */
  readonly refused?: string;
}

const root = new URL('../golden/tasks/', import.meta.url);

/** Every case there is, by task and by file name without its ending. */
export function goldenCases(): readonly { readonly task: string; readonly name: string; readonly golden: GoldenCase }[] {
  return readdirSync(fileURLToPath(root)).flatMap((task) =>
    readdirSync(fileURLToPath(new URL(`${task}/`, root)))
      .filter((file) => file.endsWith('.json'))
      .map((file) => ({
        task,
        name: file.replace(/\.json$/, ''),
        golden: JSON.parse(readFileSync(new URL(`${task}/${file}`, root), 'utf8')) as GoldenCase,
      })),
  );
}

/** What the task makes of the case, in the shape of the case's own expectation: compare the two. */
export function replay(task: AnyTask, golden: GoldenCase): { readonly found: unknown; readonly expected: unknown } {
  const want = task.params.parse(golden.params);
  const seen = task.parse(outputOf(golden), want);
  const context = planContext({ ...(golden.facts && { facts: golden.facts }), ...(golden.host && { host: golden.host }) });
  const expected = {
    changes: golden.changes,
    settled: golden.settled,
    pendingReboot: golden.pendingReboot ?? [],
    refused: golden.refused,
  };
  const pendingReboot = task.pendingReboot?.(seen, want) ?? [];
  try {
    const changes = task.plan(seen, want, context).map(({ id, title, was, will }, index) => ({
      id,
      title,
      ...(golden.changes[index]?.was !== undefined && { was }),
      ...(golden.changes[index]?.will !== undefined && { will }),
    }));
    const settled = changes.length === 0 ? task.settled(want, seen) : undefined;
    return { found: { changes, settled, pendingReboot, refused: undefined }, expected };
  } catch (error) {
    if (!(error instanceof LvsError)) throw error;
    return { found: { changes: [], settled: undefined, pendingReboot, refused: error.message }, expected };
  }
}

/** What the host answered. */
export function outputOf(golden: GoldenCase): Output {
  const { stdout, stderr = '', exit = 0 } = golden.output;
  return { stdout: typeof stdout === 'string' ? stdout : stdout.map((line) => `${line}\n`).join(''), stderr, exit };
}

/** The definition in src/tasks/TASK.ts. */
export async function taskNamed(name: string): Promise<AnyTask> {
  const file = new URL(`../../src/tasks/${name}.ts`, import.meta.url);
  if (!existsSync(file)) throw new Error(`test/golden/tasks/${name} has no task src/tasks/${name}.ts`);
  const module = (await import(file.href)) as { readonly default: AnyTask };
  return module.default;
}
