/** A plan in a file: `plan --out` keeps it, `deploy --plan` does that and nothing else. It holds no script: what is done is planned anew. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { EXIT, LvsError } from '../errors.ts';
import type { Flow } from '../flow.ts';
import type { Plan } from '../model.ts';
import { differences, undecided, workOf } from '../plan/saved.ts';
import { mask } from '../sh/secret.ts';

const text = z.string().max(10_000);
const form = z.strictObject({
  format: z.literal(1),
  cluster: text,
  /** When, by whom, and with which words. */
  made: z.strictObject({ at: text, by: text, with: text, run: text }),
  work: z.array(z.strictObject({ host: text, step: text, id: text, title: text, sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

export type SavedPlan = z.output<typeof form>;

type Maker = Pick<Flow, 'runId' | 'who' | 'resume'>;

/** Throws LvsError (exit 4) where a part of the plan is made only while it is carried out: nobody could have read that. */
export function mustBeDecided(file: string, plan: Plan): void {
  const step = undecided(plan);
  if (!step) return;
  throw badFile(
    file,
    `${step.host}: "${step.name}" comes behind a barrier: what it does is planned when all before it is done, so no saved plan can say it`,
    'deploy what comes before the barrier and plan again then, or deploy without --plan',
  );
}

/** For its owner alone: names of hosts and of what is wrong with them are nobody else's business. Throws LvsError (exit 4). */
export function savePlan(file: string, plan: Plan, { runId, who, resume }: Maker): void {
  const made = { at: new Date().toISOString(), by: who, with: resume, run: runId };
  const saved: SavedPlan = { format: 1, cluster: plan.cluster, made, work: [...workOf(plan)] };
  const part = `${file}.${process.pid}.part`;
  try {
    writeFileSync(part, `${mask(JSON.stringify(saved, null, 2))}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(part, file);
  } catch (error) {
    throw badFile(
      file,
      `the plan cannot be written (${error instanceof Error ? error.message : error})`,
      'name a file in a folder of yours',
    );
  }
}

/** Throws LvsError (exit 4) where it is no plan of ours. */
export function readPlan(file: string): SavedPlan {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw badFile(file, `the plan cannot be read (${error instanceof Error ? error.message : error})`, 'make one with "lvsctl plan --out"');
  }
  const read = form.safeParse(asJson(content));
  if (!read.success) throw badFile(file, 'this is no plan that this lvsctl has saved', 'make one with "lvsctl plan --out"');
  return read.data;
}

/** Throws LvsError (exit 4) that names what is not any more as it was, or what was never said, unless the hosts want exactly what was saved. */
export function mustHold(file: string, saved: SavedPlan, plan: Plan): void {
  if (saved.cluster !== plan.cluster)
    throw badFile(file, `the plan is for the cluster ${saved.cluster}, not for ${plan.cluster}`, 'name its inventory');
  mustBeDecided(file, plan);
  const [first, ...others] = differences(saved.work, workOf(plan)).map((what) => stale(file, saved, what));
  if (!first) return;
  throw new LvsError(first.message, { code: first.code, exitCode: first.exitCode, where: { file }, hint: first.hint ?? '', others });
}

function stale(file: string, { made }: SavedPlan, what: string): LvsError {
  return new LvsError(`the plan of ${made.at} does not hold any more: ${what}`, {
    code: 'plan.stale',
    exitCode: EXIT.badInput,
    where: { file },
    hint: `nothing was touched; look again with "${made.with}"`,
  });
}

function badFile(file: string, message: string, hint: string): LvsError {
  return new LvsError(message, { code: 'plan.file', exitCode: EXIT.badInput, where: { file }, hint });
}

function asJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
