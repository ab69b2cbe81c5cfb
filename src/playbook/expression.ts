/**
 * `<%= … %>` in a playbook, and the conditions of `when`. Playbooks are trusted code, as their authors' shell scripts are; what hosts
 * say and what inventories hold only ever comes in as values.
 */
import ejs from 'ejs';
import type { Facts, Fleet, Host } from '../model.ts';

export interface Scope {
  readonly fleet: Fleet;
  readonly host: Host;
  readonly vars: Readonly<Record<string, unknown>>;
  /** Absent before the probe. */
  readonly facts?: Facts;
}

/** Thrown inside an expression that looks at facts before there are any; the caller decides whether that may wait. */
export class FactsNeeded extends Error {
  override readonly name = 'FactsNeeded';
}

const factsNotYet = new Proxy(
  {},
  {
    get(_, key) {
      throw new FactsNeeded(`facts.${String(key)}`);
    },
  },
);

/** The value of one JavaScript expression over `fleet`, `host`, `vars` and `facts`. Throws what the expression throws. */
export function evaluate(expression: string, scope: Scope): unknown {
  const run = new Function('fleet', 'host', 'vars', 'facts', `'use strict'; return (${expression}\n);`);
  return run(scope.fleet, scope.host, scope.vars, scope.facts ?? factsNotYet);
}

/**
 * A parameter tree with its expressions replaced by their values. A scalar that is one single `<%= … %>` keeps the value's type;
 * anything else becomes text. A mapping value that comes out `undefined` leaves the key out, so optional settings pass through.
 */
export function fill(params: unknown, scope: Scope): unknown {
  if (typeof params === 'string') return fillText(params, scope);
  if (Array.isArray(params)) return params.map((item) => fill(item, scope));
  if (params !== null && typeof params === 'object') {
    const filled = Object.entries(params).map(([key, value]) => [key, fill(value, scope)] as const);
    return Object.fromEntries(filled.filter(([, value]) => value !== undefined));
  }
  return params;
}

function fillText(text: string, scope: Scope): unknown {
  if (!text.includes('<%')) return text;
  const single = /^<%=((?:(?!%>)[\s\S])*)%>$/.exec(text.trim())?.[1];
  if (single !== undefined) return evaluate(single, scope);
  return ejs.render(text, { ...scope, facts: scope.facts ?? factsNotYet }, { escape: (value: unknown) => String(value), strict: false });
}
