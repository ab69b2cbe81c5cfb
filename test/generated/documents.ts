/** Inventories and playbooks that nobody would write: those that come with lvsctl, and every golden case, with pieces cut out, moved and put in. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parse } from 'yaml';
import { goldenCases } from '../support/golden.ts';
import { hostileText } from '../support/hostile.ts';

type Path = readonly (string | number)[];

const textsIn = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(`${folder}/${name}`, 'utf8'));

/** `!secret NAME` stays what it is when the value is written again as JSON. */
const customTags = [{ tag: '!secret', resolve: (name: string) => `!secret ${name}` }];
const written = (value: unknown): string => (JSON.stringify(value) ?? 'null').replace(/"!secret ([\w.-]+)"/g, '!secret $1');

const inventories = textsIn('inventory').map((text): unknown => parse(text, { customTags }));
const books = textsIn('playbooks').map((text): unknown => parse(text, { customTags }));
const tasks = goldenCases().map(({ task, golden }) => ({ name: 'a task', [task]: golden.params }));

const everywhere = [...inventories, ...books, ...tasks].flatMap((value) => placesOf(value));
const pieces = everywhere.map(([, value]) => value);
const keys = [...new Set(everywhere.map(([path]) => path.at(-1)).filter((key) => typeof key === 'string'))];

function entriesOf(value: unknown): readonly (readonly [string | number, unknown])[] {
  if (Array.isArray(value)) return [...value.entries()];
  return value !== null && typeof value === 'object' ? Object.entries(value) : [];
}

/** Every place of a value, the value itself included. */
function placesOf(value: unknown): readonly (readonly [Path, unknown])[] {
  const inner = entriesOf(value).flatMap(([key, each]) => placesOf(each).map(([path, one]) => [[key, ...path], one] as const));
  return [[[], value], ...inner];
}

/** The value with what stands at the path made into something else; `undefined` takes it away. */
function edited(value: unknown, [key, ...rest]: Path, edit: (old: unknown) => unknown): unknown {
  if (key === undefined) return edit(value);
  if (Array.isArray(value)) {
    return value.flatMap((each, index) => {
      const next = index === key ? edited(each, rest, edit) : each;
      return next === undefined ? [] : [next];
    });
  }
  const next = edited((value as Record<string, unknown>)[key], rest, edit);
  const others = Object.entries(value as object).filter(([name]) => name !== key);
  return Object.fromEntries(next === undefined ? others : [...others, [String(key), next]]);
}

/** A key more; one in three is a known one in a place where it does not belong. */
const added = fc
  .tuple(fc.oneof(fc.constantFrom(...keys), fc.constantFrom('__proto__', 'constructor', '')), fc.constantFrom(...pieces))
  .map(([key, value]) => (old: unknown): unknown => {
    if (Array.isArray(old)) return [...old, value];
    return old !== null && typeof old === 'object' ? Object.fromEntries([...Object.entries(old), [key, value]]) : value;
  });

const edit: fc.Arbitrary<(old: unknown) => unknown> = fc.oneof(
  added,
  fc.oneof(fc.constantFrom(...pieces), fc.jsonValue({ maxDepth: 2 }), hostileText, fc.double()).map((value) => () => value),
  fc.constant(() => undefined),
  fc.constant((old: unknown) => [old, old]),
  fc.constantFrom(0, -1, 1e9, 65_536, '10.18.43.13', '::1', '0', '', ' ').map((value) => () => value),
  // What is evaluated: in places where it may be, and in those where it may not.
  fc
    .constantFrom(
      '<%= host.name %>',
      '<%= fleet %>',
      '<%= facts.cpus %>',
      '<%= vars.none %>',
      '<%= (() => { throw 1 })() %>',
      '<% %>',
      '<%=',
    )
    .map((value) => () => value),
);

/** None, one time in three: what is wrong with the other document must be seen too. */
const edits = fc.oneof(
  fc.constant([]),
  fc.array(fc.tuple(fc.nat(), edit), { minLength: 1, maxLength: 3 }),
  fc.array(fc.tuple(fc.nat(), edit), { minLength: 1, maxLength: 1 }),
);

function mutated(seeds: readonly unknown[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...seeds), edits)
    .map(([seed, chosen]) =>
      chosen.reduce((value: unknown, [where, change]) => {
        const places = placesOf(value);
        return edited(value, places[where % places.length]?.[0] ?? [], change) ?? null;
      }, seed),
    )
    .map(written);
}

const pattern = fc.constantFrom('all', 'backends', 'directors', 'web1', 'backends:!web2', 'clients', 'nobody', 'web[1:2]', '~w.*');
const around = fc.record(
  {
    when: fc.constantFrom('facts.cpus > 1', 'host.role === "backend"', 'true', 'nope', 'facts.none.deep', '1 +', ''),
    loop: fc.constantFrom<unknown>(['a', 'b'], [], '<%= fleet.hosts %>', '<%= 1 %>', { a: 1 }),
    tags: fc.constantFrom<unknown>('web', ['a', 'b'], [], 'never', 7),
    register: fc.constantFrom('found', 'a b', ''),
    notify: fc.constantFrom<unknown>('tell', ['tell', 'none'], 'keepalived.reload', ''),
    delegate_to: fc.constantFrom('dr1', 'web1', 'nobody'),
    run_once: fc.boolean(),
    barrier: fc.boolean(),
    serial: fc.constantFrom<unknown>(1, '50%', 0, '0%', 'all'),
  },
  { requiredKeys: [] },
);
const entry: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom(...tasks), around).map(([task, more]) => ({ ...task, ...more })) },
  fc
    .tuple(fc.array(fc.constantFrom(...tasks), { maxLength: 2 }), around)
    .map(([block, more]) => ({ block, rescue: block.slice(1), ...more })),
  fc.constantFrom({ import_tasks: 'none.yaml' }, { import_tasks: 'deploy/tuning.yaml' }, { debug: 1 }, null, 'x', []),
);
const handlers = [{ name: 'tell', command: { run: 'true' } }];
const made = fc
  .array(
    fc.record({ name: fc.constant('a play'), hosts: pattern, tasks: fc.array(entry, { maxLength: 4 }), handlers: fc.constant(handlers) }),
    {
      minLength: 1,
      maxLength: 2,
    },
  )
  .map(written);

/** As JSON, which is YAML; a secret is `!secret NAME`. */
export const anyInventory: fc.Arbitrary<string> = mutated(inventories);
/** To be read as a file in playbooks/. */
export const anyPlaybook: fc.Arbitrary<string> = fc.oneof(mutated(books), made, made);
