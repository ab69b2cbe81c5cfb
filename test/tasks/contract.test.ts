/** What every task in src/tasks keeps to, whoever wrote it. */
import fc from 'fast-check';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { isKnownKind } from '../../src/before/before.ts';
import type { Change, Output } from '../../src/model.ts';
import { loadRegistry } from '../../src/playbook/registry.ts';
import { changesOf, distinct, fragmentsOf, situationsOf } from '../support/fragments.ts';
import { goldenCases } from '../support/golden.ts';
import { hostileText, makeHostile, token } from '../support/hostile.ts';
import { isMutating, leaks } from '../support/leaks.ts';
import { misplacedValues, shellcheck, shells, syntaxErrors } from '../support/lint-shell.ts';
import { openShadowShell } from '../support/shadow-shell.ts';

// shells and ShellCheck are programs: they take their time on a busy machine
vi.setConfig({ testTimeout: 60_000 });

const { tasks } = await loadRegistry();
const shadow = openShadowShell();
afterAll(() => shadow.close());

/** What there is on a host, in the words that tasks use for each other's work. */
const kinds =
  'address directory file firewall group host hostname interface ipvs limits module mount package route selinux service sysctl tree unit user'.split(
    ' ',
  );

/** They look, or wait for what others do. */
const touchNothing = ['http_check', 'query', 'wait_for'];

test('there are tasks', () => {
  expect([...tasks.keys()]).toContain('package');
});

describe.each([...tasks])('%s', (name, task) => {
  const situations = situationsOf(name, task);
  const all = distinct(situations.flatMap((situation) => fragmentsOf(name, task, task.params.parse(situation.params), situation)));

  test('has an example that its schema takes and leaves as it is', () => {
    expect(task.params.parse(task.example)).toEqual(task.example);
  });

  test('describes every parameter, and takes no other', () => {
    expect(undescribed(z.toJSONSchema(task.params, { io: 'input' }) as JsonSchema, name)).toEqual([]);
    expect(task.params.safeParse({ ...(task.example as object), nobody_has_this: 1 }).success).toBe(false);
  });

  test('has golden cases: one that changes something, if it ever does, and one that says why it changes nothing', () => {
    const goldens = goldenCases().filter((each) => each.task === name);
    // What only asks is there to be registered.
    const asks = task.registers !== undefined && task.touches(task.params.parse(task.example)).length === 0;
    expect(goldens.some(({ golden }) => golden.changes.length > 0)).toBe(!asks);
    expect(goldens.some(({ golden }) => golden.changes.length === 0 && golden.settled)).toBe(true);
  });

  test('names what it touches and needs as kind:name, of a kind that others know', () => {
    for (const { params } of situations) {
      const want = task.params.parse(params);
      const words = [...task.touches(want), ...(task.needs?.(want) ?? [])];
      expect(words.filter((word) => !kinds.includes(/^([a-z]+):[^\n]+$/.exec(word)?.[1] ?? ''))).toEqual([]);
    }
    expect(task.touches(task.params.parse(task.example)).length > 0).toBe(!touchNothing.includes(name));
  });

  test('what it touches can be put back', () => {
    for (const { params } of situations) {
      const want = task.params.parse(params);
      const own = new Set((task.before?.(want) ?? []).map(({ resource }) => resource.replace(/:.*/s, '')));
      const words = task.touches(want).map((word) => word.replace(/:.*/s, ''));
      expect(words.filter((kind) => !isKnownKind(kind) && !own.has(kind))).toEqual([]);
    }
  });

  test('a change shows a difference, and notifies only handlers that come with the task', () => {
    for (const situation of situations) {
      const want = task.params.parse(situation.params);
      const changes = changesOf(task, want, situation) ?? [];
      expect(oddities(changes)).toEqual([]);
      // An empty file that comes to be is all that there is to show.
      expect(changes.filter(({ was, will, title }) => was === will && !title.startsWith('create ')).map(({ id }) => id)).toEqual([]);
      const own = Object.keys(task.handlers?.(want) ?? {});
      expect(changes.flatMap(({ notify = [] }) => notify).filter((handler) => !own.includes(handler))).toEqual([]);
    }
  });

  test.each(shells)('every fragment is good %s', (shell) => {
    expect(syntaxErrors(shell, all)).toEqual([]);
  });

  test('ShellCheck has no warning, and no word may split', () => {
    expect(shellcheck(all)).toEqual([]);
  });

  test('values stand outside quotes, so that each is one word', () => {
    expect(misplacedValues(all)).toEqual([]);
  });

  test('the probe changes nothing', () => {
    const probes = distinct(situations.map(({ params }) => ({ name: `${name} probe`, sh: task.probe(task.params.parse(params)) })));
    expect(
      shadow
        .run(probes)
        .calls.filter(({ call }) => isMutating(call))
        .map(({ call }) => call.join(' ')),
    ).toEqual([]);
  });

  test('hostile parameters stay values', () => {
    fc.assert(
      fc.property(hostileText, (hostile) => {
        const fragments = situations.flatMap((situation) => {
          const params = task.params.parse(makeHostile(task.params, situation.params, hostile, shadow.folder));
          return fragmentsOf(name, task, params, situation);
        });
        expect(leaks(shadow, distinct(fragments), hostile)).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });

  test('survives whatever a host says, and lets none of it become shell or a secret', () => {
    fc.assert(
      fc.property(fc.nat({ max: situations.length - 1 }), outputs(situations.map(({ output }) => output)), (index, output) => {
        const situation = { ...(situations[index] ?? fc.pre(false)), output } as (typeof situations)[number];
        const want = task.params.parse(situation.params);
        const changes = changesOf(task, want, situation);
        expect(oddities(changes ?? [])).toEqual([]);
        if (changes?.length === 0) expect(task.settled(want, task.parse(output, want)).trim()).not.toBe('');
        const parts = fragmentsOf(name, task, want, situation).flatMap(({ sh }) => sh.parts);
        expect(parts.filter((part) => ('text' in part ? part.text.includes(token) : part.value.includes(slot)))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

// ------------------------------------------------------------- descriptions

interface JsonSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

/** Paths of the fields, also of nested mappings, that carry no description. */
function undescribed(schema: JsonSchema, path: string): readonly string[] {
  const fields = Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
    const inner = undescribed(field, `${path}.${key}`);
    return field.description ? inner : [`${path}.${key}`, ...inner];
  });
  const nested = [schema.items, schema.additionalProperties, ...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [...fields, ...nested.flatMap((each) => (each && typeof each === 'object' ? undescribed(each, `${path}[]`) : []))];
}

// ------------------------------------------------------------------ outputs

const slot = '\uE000secret hostsaid\uE001';

/** Nonsense, and real answers that were cut, doubled and spoilt. */
function outputs(real: readonly Output[]): fc.Arbitrary<Output> {
  const junk = fc.oneof(
    fc.string({ unit: 'binary' }),
    hostileText,
    fc.constantFrom(slot, `\n${slot}\n`, `/${slot}`, '\n', '\0', '0', '-1', '99999999999999999999'),
  );
  const spoilt = fc
    .tuple(fc.constantFrom(...real), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40), junk)
    .map(([{ stdout }, where, cut, insert]) => {
      const place = Math.floor(where * stdout.length);
      return stdout.slice(0, place) + insert + stdout.slice(place + cut);
    });
  const doubled = fc.tuple(fc.constantFrom(...real), fc.constantFrom(...real)).map(([first, second]) => first.stdout + second.stdout);
  return fc.record({ stdout: fc.oneof(spoilt, spoilt, doubled, junk), stderr: junk, exit: fc.nat(255) });
}

/** Changes that could not be shown, saved and told apart. */
function oddities(changes: readonly Change[]): readonly string[] {
  const ids = new Set(changes.map(({ id }) => id));
  return [
    ...(ids.size === changes.length ? [] : ['two changes of one id']),
    ...changes.flatMap((change) =>
      change.title.trim() === '' || change.title.includes('\n') ? [`title ${JSON.stringify(change.title)}`] : [],
    ),
    ...changes.flatMap((change) =>
      JSON.stringify(JSON.parse(JSON.stringify(change))) === JSON.stringify(change) ? [] : [`${change.id} is not plain data`],
    ),
    ...changes.flatMap((change) => (change.was === change.will && change.will !== '' ? [`${change.id} shows no difference`] : [])),
  ];
}
