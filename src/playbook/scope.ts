/** The variables that an expression sees. A name that nobody has given is a mistake, never "undefined". */
import { EXIT, LvsError } from '../errors.ts';
import { nearest } from '../inventory/nearest.ts';
import type { StepVars, Template } from '../model.ts';
import { located } from './complaint.ts';
import { FactsNeeded, type Failed, fill, type Scope } from './expression.ts';
import { noAssignment } from './expression-names.ts';

type Values = Readonly<Record<string, unknown>>;

/** By precedence: the inventory (cluster, group, host), then the playbook (play, block, task), then the command line. */
export interface VarLayers {
  readonly inventory: Values;
  /** The outermost first. */
  readonly playbook: readonly Template[];
  readonly extra: Values;
}

/** The scope with `vars` over all layers. The playbook's own values may use each other, and are evaluated when they are used. */
export function withVars(scope: Omit<Scope, 'vars'>, layers: VarLayers): Scope {
  const places = new Map(
    layers.playbook.flatMap((layer) => Object.keys(layer.value ?? {}).map((name) => [name, layer.place([name])] as const)),
  );
  return scopeOf(scope, plainVars(layers), (name) => (error) => {
    if (error instanceof FactsNeeded) throw error;
    throw located(error, places.get(name) ?? {}, 'playbook.expression', `vars.${name}: `);
  });
}

/** All layers as data that can be kept for later. */
export function plainVars({ inventory, playbook, extra }: VarLayers): StepVars {
  const made: Values = Object.assign({}, ...playbook.map(({ value }) => value));
  const given = Object.entries(inventory).filter(([name]) => !Object.hasOwn(made, name));
  return {
    given: { ...Object.fromEntries(given), ...extra },
    made: Object.fromEntries(Object.entries(made).filter(([name]) => !Object.hasOwn(extra, name))),
  };
}

/** The scope over variables that were kept as data. */
export function scopeOf(scope: Omit<Scope, 'vars'>, vars: StepVars, failed?: (name: string) => Failed): Scope {
  const values: Record<string, unknown> = Object.create(null);
  const whole: Scope = { ...scope, ...(vars.loop && { loop: vars.loop }), vars: guarded(values) };
  for (const [name, value] of Object.entries(vars.given)) Object.defineProperty(values, name, { value, enumerable: true });
  for (const [name, value] of Object.entries(vars.made)) {
    Object.defineProperty(values, name, { get: once(name, () => fill(value, whole, failed?.(name))), enumerable: true });
  }
  return whole;
}

/** Evaluates at the first use; a value that needs itself has no end. */
function once(name: string, work: () => unknown): () => unknown {
  let state: 'new' | 'open' | 'done' = 'new';
  let value: unknown;
  return () => {
    if (state === 'open') throw mistake(`vars.${name} is made of itself`, 'use another name for one of the two');
    if (state === 'done') return value;
    state = 'open';
    try {
      value = work();
      state = 'done';
    } finally {
      if (state === 'open') state = 'new';
    }
    return value;
  };
}

function guarded(values: Values): Values {
  return new Proxy<Values>(values, {
    get(target, name) {
      // JSON.stringify and string concatenation ask for these before they look at the names.
      if (typeof name === 'symbol' || name === 'toJSON' || Object.hasOwn(target, name)) return target[name as string];
      throw undefinedVariable(name, Object.keys(target));
    },
    set: noAssignment,
  });
}

export function undefinedVariable(name: string, known: readonly string[]): LvsError {
  const close = nearest(name, known);
  const list = known.length > 0 ? `there are: ${known.join(', ')}` : 'there are none';
  return mistake(`vars.${name} is not defined`, `${close ? `did you mean "vars.${close}"? ` : ''}${list}`);
}

function mistake(message: string, hint: string): LvsError {
  return new LvsError(message, { code: 'playbook.variable', exitCode: EXIT.badInput, hint });
}
