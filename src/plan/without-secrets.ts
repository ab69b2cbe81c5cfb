/** What is planned from a host's words, with slots in the place of the secrets that stand there now: it is shown, saved and sent in JSON. */
import type { Change, StepPlan } from '../model.ts';
import { mask } from '../sh/secret.ts';
import type { Sh } from '../sh/sh.ts';

type Conceal = (text: string) => string;

/** Every text in it with slots instead of secrets: it may come to stand in a title or a diff. */
export function concealed(value: unknown, conceal: Conceal): unknown {
  if (typeof value === 'string') return conceal(value);
  if (Array.isArray(value)) return value.map((item) => concealed(item, conceal));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, concealed(item, conceal)]));
}

/** Comparing is done by then: a line with the same secret before and after is the same text now. */
export function withoutSecrets(plan: StepPlan, conceal: Conceal): StepPlan {
  const sentence = (text: string): string => mask(conceal(text));
  return {
    ...plan,
    why: sentence(plan.why),
    changes: plan.changes.map((change) => changeWithout(change, conceal)),
    pendingReboot: plan.pendingReboot.map(sentence),
    ...(plan.stays && { stays: plan.stays.map(sentence) }),
  };
}

function changeWithout(change: Change, conceal: Conceal): Change {
  const { id, title, was, will, run, unless, validate, undo, stage } = change;
  // Scripts are shown too. What is sent is the same: each slot becomes what it stands for.
  const shell = ({ parts }: Sh): Sh => ({ parts: parts.map((part) => ('value' in part ? { value: conceal(part.value) } : part)) });
  return {
    ...change,
    ...{ id: mask(conceal(id)), title: mask(conceal(title)), was: conceal(was), will: conceal(will), run: shell(run) },
    ...(unless && { unless: shell(unless) }),
    ...(validate && { validate: shell(validate) }),
    ...(undo && { undo: shell(undo) }),
    ...(stage && { stage: shell(stage) }),
  };
}
