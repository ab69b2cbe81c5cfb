/** What expressions may ask of `fleet`, `host` and `facts`. A slip in a name is a mistake, never "undefined", and nothing can be assigned. */
import { EXIT, LvsError } from '../errors.ts';
import { didYouMean } from '../inventory/nearest.ts';
import type { Facts, Fleet, Host } from '../model.ts';

const fleetNames: Readonly<Record<keyof Fleet, true>> = {
  ...{ cluster: true, file: true, hosts: true, groups: true, vrrp: true, static: true, services: true, proxy: true },
  ...{ vips: true, virtualAddresses: true, nat: true, sync: true, selinux: true, firewall: true, nginx: true, apache: true },
  ...{ keepalivedSource: true, ipvsadmSource: true, packages: true, system: true, vars: true, lab: true },
};

const hostNames: Readonly<Record<keyof Host, true>> = {
  ...{ name: true, role: true, address: true, ssh: true, interfaces: true, vars: true },
  ...{ priority: true, priorities: true, heartbeats: true, dip: true, rip: true, rips: true, weight: true, sources: true },
};

const factNames: Readonly<Record<keyof Facts, true>> = {
  ...{ hostname: true, distribution: true, release: true, codename: true, architecture: true, kernel: true },
  ...{ packageManager: true, init: true, selinux: true, cpus: true, memoryMiB: true, interfaces: true },
};

const names = { fleet: fleetNames, host: hostNames, facts: factNames } as const;
type Kind = keyof typeof names;

export function isKnown(kind: Kind, name: string): boolean {
  return Object.hasOwn(names[kind], name);
}

export function unknownName(kind: Kind, name: string): LvsError {
  const known = Object.keys(names[kind]);
  return mistake(`there is no ${kind}.${name}`, `${didYouMean(name, known)}there are: ${known.join(', ')}`);
}

export function unregistered(name: string, known: readonly string[]): LvsError {
  const list = known.length > 0 ? `there are: ${known.join(', ')}` : 'no task has "register"';
  return mistake(`no task registers "${name}"`, `${didYouMean(name, known)}${list}`);
}

/** What stands behind each object that is handed to expressions; throws where it is not known yet. */
const behind = new WeakMap<object, () => unknown>();

/** Lets an expression give the object as a whole; see `unguarded`. */
export function standsFor<Guard extends object>(guard: Guard, whole: () => unknown): Guard {
  behind.set(guard, whole);
  return guard;
}

/** The value without the guards in it: whoever reads it later asks for names that are not there, and that is no mistake of the playbook's. */
export function unguarded(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const whole = behind.get(value);
  if (whole) return whole();
  if (Array.isArray(value)) return value.map(unguarded);
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unguarded(each)]));
}

/** What a step has said; a slip in a name would never hold, and nobody would notice. */
export function saidOnly(what: string, said: Readonly<Record<string, unknown>>): object {
  const guard = new Proxy(said, {
    get: (object, name) => {
      if (typeof name === 'symbol' || name === 'toJSON' || name in Object.prototype || Object.hasOwn(object, name))
        return Reflect.get(object, name);
      const known = Object.keys(object);
      const hint =
        name === 'rc' && known.includes('exit') ? `write ${what}.exit` : `${didYouMean(name, known)}there are: ${known.join(', ')}`;
      throw mistake(`there is no ${what}.${name}`, hint);
    },
    set: noAssignment,
  });
  return standsFor(guard, () => said);
}

/** The object, of which only the names above can be asked; `read` answers for it where it is not there yet. */
export function guarded<Target extends object>(kind: Kind, target: Target, read?: (name: string) => unknown): Target {
  const guard = new Proxy<Target>(target, {
    get: (object, name) => {
      // JSON.stringify and string concatenation ask for these before they look at the names.
      if (typeof name === 'symbol' || name === 'toJSON' || name in Object.prototype) return Reflect.get(object, name);
      if (!isKnown(kind, name)) throw unknownName(kind, name);
      return read ? read(name) : Reflect.get(object, name);
    },
    set: noAssignment,
  });
  return standsFor(guard, () => (read ? read('*') : target));
}

/** `=` for `==` would make every condition true. */
export function noAssignment(_: object, name: string | symbol): never {
  throw mistake(`"=" would assign ${String(name)}`, 'compare with === or ==');
}

function mistake(message: string, hint: string): LvsError {
  return new LvsError(message, { code: 'playbook.expression', exitCode: EXIT.badInput, hint });
}
