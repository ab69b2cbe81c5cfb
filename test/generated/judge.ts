/** From two documents to a plan, as `lvsctl plan` does it, with hosts that are as some golden case recorded them. */
import { EXIT, formatError, LvsError } from '../../src/errors.ts';
import { parseInventory } from '../../src/inventory/load.ts';
import type { Output, Seen } from '../../src/model.ts';
import { planBatches } from '../../src/plan/plan.ts';
import { bindPlaybook } from '../../src/playbook/bind.ts';
import { parsePlaybook } from '../../src/playbook/load.ts';
import { loadRegistry } from '../../src/playbook/registry.ts';
import { goldenCases } from '../support/golden.ts';
import { planContext } from '../support/plan-context.ts';

/** How far a pair of documents came. */
export type Verdict = 'inventory refused' | 'playbook refused' | 'planned' | 'plan refused';

export interface Documents {
  readonly inventory: string;
  readonly playbook: string;
  /** Chooses what the hosts answer. */
  readonly answers: number;
}

const registry = await loadRegistry();
const { facts } = planContext();
const recorded = new Map<string, Output[]>();
for (const { task, golden } of goldenCases()) {
  const { stdout, stderr = '', exit = 0 } = golden.output;
  const text = typeof stdout === 'string' ? stdout : stdout.map((line) => `${line}\n`).join('');
  recorded.set(task, [...(recorded.get(task) ?? []), { stdout: text, stderr, exit }]);
}

/** Throws what is neither a plan nor complaints of one printable line each, with their place. */
export function judge(documents: Documents): Verdict {
  const fleet = refusedOr(() => parseInventory(documents.inventory, 'web.yaml').fleet, located);
  if (!fleet) return 'inventory refused';
  const plays = refusedOr(() => bindPlaybook(parsePlaybook(documents.playbook, 'playbooks/book.yaml'), fleet, registry), located);
  if (!plays) return 'playbook refused';
  const answer = (host: string): Seen => {
    const steps = plays.flatMap((play) => play.steps[host] ?? []);
    const outputs = steps.map(({ id, task }, index) => [id, answerOf(task, documents.answers + index)] as const);
    return { host, reached: true, facts: { ...facts, hostname: host }, outputs: Object.fromEntries(outputs) };
  };
  const seen = Object.fromEntries(fleet.hosts.map(({ name }) => [name, answer(name)]));
  const same = (text: string): string => text;
  const planned = refusedOr(() => planBatches({ fleet, plays, registry, seen, resolve: same, conceal: same }), placed);
  return planned ? 'planned' : 'plan refused';
}

function answerOf(task: string, choice: number): Output {
  const all = [...(recorded.get(task) ?? []), { stdout: '', stderr: '', exit: 0 }, { stdout: '', stderr: 'sh: not found\n', exit: 127 }];
  return all[choice % all.length] ?? { stdout: '', stderr: '', exit: 0 };
}

/** What `work` gives, or undefined where it complains as it ought to. */
function refusedOr<T>(work: () => T, check: (complaint: LvsError) => void): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LvsError)) throw error;
    for (const complaint of [error, ...error.others]) check(complaint);
    return undefined;
  }
}

function located(complaint: LvsError): void {
  printable(complaint);
  const { file, line, column } = complaint.where ?? {};
  if (complaint.exitCode !== EXIT.badInput || file === undefined || !line || !column) {
    throw new Error(`a complaint without its place: ${formatError(complaint)}`);
  }
}

/** A place in a file, or a step on a host: whoever reads it must know where to look. */
function placed(complaint: LvsError): void {
  printable(complaint);
  const { file, line, column, host, step } = complaint.where ?? {};
  if (!(host && step) && !(file !== undefined && line && column)) throw new Error(`a refusal without its place: ${formatError(complaint)}`);
}

function printable(complaint: LvsError): void {
  const line = formatError(complaint);
  if (!/^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(line)) throw new Error(`no printable line: ${JSON.stringify(line)}`);
}
