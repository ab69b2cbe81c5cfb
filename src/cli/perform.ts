/** Runs a flow and shows it: live while it goes on, then the report as text or as one JSON document; the exit code is the report's. */
import { writeFileSync } from 'node:fs';
import { type Answer, hostsOf, run } from '../flow.ts';
import type { Host, Plan, Report } from '../model.ts';
import { secretSlot, secretsIn } from '../sh/secret.ts';
import { junitXml } from '../view/junit.ts';
import { say, sayAside } from '../view/say.ts';
import { reportText } from '../view/text.ts';
import { noWatch, type Watch } from '../view/watch.ts';
import type { CommonFlags } from './flags.ts';
import { listenForInterruption } from './interruption.ts';
import { rememberRun } from './last-run.ts';
import type { Session } from './session.ts';

type StartWatch = (hosts: readonly Host[], flags: CommonFlags) => Promise<Watch>;

export interface Performance {
  readonly command: string;
  readonly flow: Session;
  readonly flags: CommonFlags;
  /** Asked with the live view closed, so that a question can stand on the terminal. */
  readonly confirm: (soFar: Report, plan: Plan) => Promise<Answer>;
}

export async function perform(performance: Performance): Promise<Report> {
  const report = await runShown(performance, startWatch);
  const { command, flow, flags } = performance;
  if (command === 'deploy') remember(flow, flags, report);
  show(report, flags);
  return report;
}

/** Prints the report, which decides on the exit code. */
export function show(report: Report, flags: CommonFlags): void {
  if (flags.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else say(reportText(report, { diff: flags.diff ?? false, verbose: flags.verbose }));
  if (flags.junit !== undefined) writeJunit(flags.junit, report);
  process.exitCode = report.exitCode;
}

function writeJunit(file: string, report: Report): void {
  try {
    writeFileSync(file, junitXml(report));
  } catch (error) {
    sayAside(`warning: ${file} could not be written: ${error instanceof Error ? error.message : error}`);
  }
}

/** What goes on is watched as `watchBy` says; nothing is printed at the end. */
export async function runShown({ command, flow, flags, confirm }: Performance, watchBy: StartWatch): Promise<Report> {
  if (!flags.color) process.env.NO_COLOR = '1';
  let watch = await watchBy(hostsOf(flow), flags);
  flow.interlude.during(async () => {
    await watch.close();
    return async () => {
      watch = await watchBy(hostsOf(flow), flags);
    };
  });
  const interruption = listenForInterruption(flow.resume, (line) => watch.stops(line));
  return run({
    ...flow,
    command,
    ...interruption,
    emit: (event) => watch.emit(event),
    confirm: async (plan, soFar) => {
      await watch.close();
      // A template may want one that no parameter names: before anything is changed is early enough to say that it has no value.
      for (const name of secretsIn(plan)) flow.resolve(secretSlot(name));
      const answer = await confirm(soFar, plan);
      if (answer) watch = await watchBy(hostsOf(flow), flags);
      return answer;
    },
  }).finally(() => {
    interruption.over();
    return watch.close();
  });
}

/** For `--limit @failed`. A run is none the worse where it cannot be kept. */
function remember(flow: Session, flags: CommonFlags, report: Report): void {
  try {
    rememberRun({ fleet: flow.fleet, lab: flags.lab ?? false }, report);
  } catch (error) {
    sayAside(`warning: this run is not remembered for --limit @failed: ${error instanceof Error ? error.message : error}`);
  }
}

export async function startWatch(hosts: readonly Host[], flags: CommonFlags): Promise<Watch> {
  if (flags.json) return noWatch;
  if (process.stdout.isTTY && process.env.TERM !== 'dumb')
    return (await import('../view/tree.ts')).watchTree(hosts.map(({ name }) => name));
  return (await import('../view/lines.ts')).watchLines(say);
}
