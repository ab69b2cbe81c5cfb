/** One task on one real host, as a deploy does it: probe, plan, run; and whatever else a test does there by hand. */
import { text as readAll } from 'node:stream/consumers';
import { jobOf } from '../../src/apply/bundle.ts';
import { runBundle } from '../../src/apply/run-bundle.ts';
import type { Change, Facts, Outcome } from '../../src/model.ts';
import { probeHost } from '../../src/probe/probe.ts';
import { newNonce } from '../../src/sh/frame.ts';
import type { AnyTask } from '../../src/task.ts';
import type { Connection } from '../../src/transport/transport.ts';
import { type ContextOptions, planContext } from './plan-context.ts';

export interface Trial {
  /** What a task would change there, or why it changes nothing. */
  plan(task: AnyTask, params: unknown): Promise<Planned>;
  /** Makes the changes; throws where one fails. */
  apply(changes: readonly Change[]): Promise<readonly Outcome[]>;
  /** Runs a script there and returns what it prints; throws where it fails. */
  run(script: string): Promise<string>;
}

export interface Planned {
  readonly changes: readonly Change[];
  readonly settled: string;
  readonly facts: Facts;
  /** What the probe printed. */
  readonly stdout: string;
}

export function trialOn(connection: Connection, options: Pick<ContextOptions, 'fleet'> = {}): Trial {
  return {
    async plan(task, params) {
      const want = task.params.parse(params);
      const seen = await probeHost(connection, { step: task.probe(want) }, { timeout: 60, resolve: (text) => text });
      if (!seen.reached) throw new Error(seen.reason);
      const output = seen.outputs.step ?? { stdout: '', stderr: '', exit: -1 };
      const found = task.parse(output, want);
      const changes = task.plan(found, want, { ...planContext(options), facts: seen.facts });
      return { changes, settled: changes.length === 0 ? task.settled(want, found) : '', facts: seen.facts, stdout: output.stdout };
    },
    async apply(changes) {
      const nonce = newNonce();
      const bundle = { id: `trial-${nonce}`, nonce, jobs: changes.map(jobOf) };
      const outcomes = await runBundle(connection, bundle, { resolve: (text) => text, emit: () => {} });
      const failed = outcomes.find(({ result }) => result === 'failed');
      if (failed) throw new Error(`${failed.title}: ${failed.output}`);
      return outcomes;
    },
    async run(script) {
      const channel = await connection.shell();
      channel.stdin.end(`{\nset -e\n${script}\nexit 0\n}\n`);
      const [stdout, stderr, { exit }] = await Promise.all([readAll(channel.stdout), readAll(channel.stderr), channel.ended]);
      if (exit !== 0) throw new Error(`${script} ended with ${exit}: ${stdout}${stderr}`);
      return stdout;
    },
  };
}
