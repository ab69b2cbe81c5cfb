/** Whether the changes of a plan are made. */
import { createInterface } from 'node:readline/promises';
import { EXIT, LvsError } from '../errors.ts';
import type { Answer } from '../flow.ts';
import type { Plan, Report } from '../model.ts';
import { needsWork } from '../plan/batches.ts';
import { stepName } from '../plan/omit.ts';
import { forTerminal, say } from '../view/say.ts';
import { closingLine, reportText } from '../view/text.ts';
import type { CommonFlags } from './flags.ts';
import { orInterrupted } from './interruption.ts';

/** Shows the plan and asks on a terminal; elsewhere only --yes lets a run touch anything. */
export async function confirm(soFar: Report, plan: Plan, flags: CommonFlags): Promise<Answer> {
  if (flags.yes && !flags.step) return { leaveOut: new Set() };
  if (flags.json || !process.stdin.isTTY || !process.stdout.isTTY) {
    throw new LvsError(`nobody is there to confirm ${closingLine(soFar)}`, {
      code: 'cli.confirm',
      exitCode: EXIT.badInput,
      hint: flags.step ? '--step asks on a terminal' : 'say --yes, or look first with --check',
    });
  }
  say(reportText(soFar, { diff: flags.diff ?? false, verbose: flags.verbose }));
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const ask = async (question: string): Promise<string> => (await orInterrupted(terminal.question(question))).trim().toLowerCase();
  try {
    if (flags.step) return await askEachStep(plan, ask);
    return /^y(es)?$/.test(await ask('Make these changes? [y/N] ')) ? { leaveOut: new Set() } : false;
  } finally {
    terminal.close();
  }
}

/** As Ansible asks: yes, no, or continue without asking any more. Nothing is done before the last answer. */
async function askEachStep(plan: Plan, ask: (question: string) => Promise<string>): Promise<Answer> {
  if (plan.batches.some(({ phase, hosts }) => phase > 0 && hosts.some(({ steps }) => steps.length > 0))) {
    const hint = 'take --step away, or begin behind the barrier with --start-at';
    throw new LvsError('--step cannot ask about what comes behind a barrier: it is not known yet', {
      code: 'cli.step',
      exitCode: EXIT.badInput,
      hint,
    });
  }
  const leaveOut = new Set<string>();
  const questions = stepsToAsk(plan);
  for (const { name, hosts, ids } of questions) {
    const answer = await ask(`${forTerminal(name)} (${hosts.join(', ')}): [n]o, [y]es, [c]ontinue without asking? `);
    if (answer.startsWith('c')) break;
    if (!answer.startsWith('y')) for (const id of ids) leaveOut.add(id);
  }
  return questions.every(({ ids }) => ids.every((id) => leaveOut.has(id))) ? false : { leaveOut };
}

interface Question {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly ids: readonly string[];
}

/** A question for each step that has something to do, over all hosts. */
function stepsToAsk({ batches }: Plan): readonly Question[] {
  const busy = batches.flatMap(({ hosts }) =>
    hosts.flatMap(({ host, steps }) => steps.filter(needsWork).map(({ step }) => ({ host, step }))),
  );
  const ids = [...new Set(busy.map(({ step }) => step.id))];
  return ids.map((id) => {
    const same = busy.filter(({ step }) => step.id === id);
    return { name: same[0]?.step.name ?? '', hosts: same.map(({ host }) => host), ids: same.map(({ host }) => stepName(host, id)) };
  });
}
