/**
 * `<%= … %>` in a playbook, and the conditions of `when`. Playbooks are trusted code, as their authors' shell scripts are; what hosts
 * say and what inventories hold only ever comes in as values.
 */
import ejs from 'ejs';
import type { Facts, Fleet, Host, Iteration, Registered } from '../model.ts';
import { secretsIn } from '../sh/secret.ts';
import { quote } from '../sh/sh.ts';
import { explainFault, rejectBraces, textFault, textTruth } from './expression-faults.ts';
import { guarded, noAssignment, saidOnly, standsFor, unguarded, unregistered } from './expression-names.ts';

export interface Scope {
  readonly fleet: Fleet;
  readonly host: Host;
  readonly vars: Readonly<Record<string, unknown>>;
  /** Absent before the probe. */
  readonly facts?: Facts;
  /** What steps before have said. */
  readonly registered?: Readonly<Record<string, Registered>>;
  /** Names that some step of the playbook registers. */
  readonly registers?: readonly string[];
  /** In `until`: what the step itself has just said. */
  readonly result?: Registered;
  /** In a loop: seen as `item` and `loop_index`. */
  readonly loop?: Iteration;
}

/** Thrown inside an expression that looks at facts, or at what a step has said, before it is known; the caller decides whether that may wait. */
export class FactsNeeded extends Error {
  override readonly name = 'FactsNeeded';
}

const factsNotYet = guarded('facts', {}, (name) => {
  throw new FactsNeeded(`facts.${name}`);
});

/** What has been registered; a name that no step registers is a mistake, one whose step has not been looked at yet may wait. */
function registeredIn({ registers = [], ...scope }: Scope): object {
  const registered: Readonly<Record<string, Registered>> = scope.registered ?? {};
  const guard = new Proxy(registered, {
    get(known: Readonly<Record<string, Registered>>, key) {
      if (typeof key === 'symbol') return undefined;
      const said = Object.hasOwn(known, key) ? known[key] : undefined;
      if (said) return saidOnly(`registered.${key}`, said);
      if (registers.includes(key)) throw new FactsNeeded(`registered.${key}`);
      throw unregistered(key, registers);
    },
    set: noAssignment,
  });
  return standsFor(guard, () => {
    const open = registers.find((name) => !Object.hasOwn(registered, name));
    if (open !== undefined) throw new FactsNeeded(`registered.${open}`);
    return registered;
  });
}

/** Called with what an expression threw, and the path of the text that holds it; throws something that says where. */
export type Failed = (error: unknown, path: readonly (string | number)[]) => never;

const passOn: Failed = (error) => {
  throw error;
};

/** The names that an expression sees. */
function namesIn(scope: Scope): Readonly<Record<string, unknown>> {
  const { fleet, host, vars, facts, loop, result } = scope;
  const looked = { fleet: guarded('fleet', fleet), host: guarded('host', host), facts: facts ? guarded('facts', facts) : factsNotYet };
  const turn = loop && { item: loop.item, loop_index: loop.index };
  return {
    ...looked,
    vars,
    quote: quoteWords,
    registered: registeredIn(scope),
    ...turn,
    ...(result && { result: saidOnly('result', result) }),
  };
}

/** `quote(value)`: one word for a shell, of a list one for each of its values. */
function quoteWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(quoteWords).join(' ');
  const text = intoText(value);
  // What is quoted now is not what comes in later.
  if (secretsIn(text).size > 0) throw new Error('quote() is given a secret, whose value is not known here');
  return quote(text);
}

/**
 * The value of one JavaScript expression over `fleet`, `host`, `vars`, `facts`, `registered` and, in a loop, `item`. Throws what the expression
 * throws, and LvsError where it is no expression or uses a name that is not there.
 */
export function evaluate(expression: string, scope: Scope): unknown {
  const names = namesIn(scope);
  try {
    const run = new Function(...Object.keys(names), `'use strict'; return (${expression}\n);`);
    return unguarded(run(...Object.values(names)));
  } catch (error) {
    throw explainFault(error, expression, scope);
  }
}

/** Whether a condition holds, in the sense of JavaScript. Text that says "false" would hold too, and is never meant to: it throws LvsError. */
export function isTrue(condition: string, scope: Scope): boolean {
  const value = evaluate(condition, scope);
  if (typeof value === 'string' && /^(true|false|yes|no|on|off|[01])$/i.test(value)) throw textTruth(condition, value);
  return Boolean(value);
}

/** A text with its expressions replaced. */
export type FillText = (text: string, scope: Scope, path: readonly (string | number)[]) => unknown;

/**
 * A parameter tree with its expressions replaced by their values. A scalar that is one single `<%= … %>` keeps the value's type;
 * anything else becomes text. A mapping value that comes out `undefined` leaves the key out, so optional settings pass through.
 */
export function fill(
  params: unknown,
  scope: Scope,
  failed: Failed = passOn,
  filling: FillText = (text) => fillText(text, scope),
  path: readonly (string | number)[] = [],
): unknown {
  if (typeof params === 'string') {
    try {
      return filling(params, scope, path);
    } catch (error) {
      return failed(error, path);
    }
  }
  if (Array.isArray(params)) return params.map((item, index) => fill(item, scope, failed, filling, [...path, index]));
  if (params !== null && typeof params === 'object') {
    const filled = Object.entries(params).map(([key, value]) => [key, fill(value, scope, failed, filling, [...path, key])] as const);
    return Object.fromEntries(filled.filter(([, value]) => value !== undefined));
  }
  return params;
}

/** `put` writes a value into the text; with one of its own, a text that is a single expression is no exception. */
export function fillText(text: string, scope: Scope, put?: (value: unknown) => string): unknown {
  rejectBraces(text, scope);
  if (!text.includes('<%')) return text;
  const single = /^<%=((?:(?!%>)[\s\S])*)%>$/.exec(text.trim())?.[1];
  if (single !== undefined) {
    const value = evaluate(single, scope);
    const whole = text === text.trim();
    // A line end behind a word or number belongs to the text; behind a list or a mapping it is only how the expression was typed.
    if (typeof value === 'object' || (whole && !(put && typeof value === 'string'))) return value;
    return text.replace(text.trim(), () => (put ?? intoText)(value));
  }
  // Without compileDebug EJS leaves the message of an error as it is.
  const options = { escape: put ?? intoText, strict: false, compileDebug: false };
  try {
    return ejs.render(text, namesIn(scope), options);
  } catch (error) {
    throw textFault(error, text, scope);
  }
}

export function intoText(value: unknown): string {
  if (value === undefined || value === null) throw new Error(`an expression inside this text gives ${value}`);
  return String(value);
}
