import { expect, test } from 'vitest';
import { evaluate, FactsNeeded, fill, type Scope } from '../../src/playbook/expression.ts';
import { s0Fleet } from '../support/plan-context.ts';

const [host] = s0Fleet.hosts;
if (!host) throw new Error('S0 has hosts');
const scope: Scope = { fleet: s0Fleet, host, vars: { list: [1, 2] } };

test('a single expression keeps its type, mixed text becomes text, undefined leaves the key out', () => {
  expect(fill({ a: '<%= vars.list %>', b: 'x<%= vars.list.length %>', c: '<%= vars.none %>', d: [true, '<%= 1 + 1 %>'] }, scope)).toEqual({
    a: [1, 2],
    b: 'x2',
    d: [true, 2],
  });
});

test('a line end behind a word stays, behind a list or mapping it means nothing', () => {
  expect(fill("<%= 'x' %>\n", scope)).toBe('x\n');
  expect(fill('<%= vars.list.length %>\n', scope)).toBe('2\n');
  expect(fill('<%= vars.list %>\n', scope)).toEqual([1, 2]);
  expect(() => fill('<%= vars.none %>\n', scope)).toThrow('an expression inside this text gives undefined');
});

test('text is not escaped for HTML', () => {
  expect(fill("a <%= '<&>' %>", scope)).toBe('a <&>');
});

test('a fact before the probe is told apart from a mistake', () => {
  expect(() => evaluate('facts.distribution === "debian"', scope)).toThrow(FactsNeeded);
  expect(() => fill('on <%= facts.distribution %>', scope)).toThrow(FactsNeeded);
  expect(() => evaluate('nonsense', scope)).toThrow('nonsense is not defined');
  expect(() => evaluate('facts.nonsense', scope)).toThrow('there is no facts.nonsense');
});

test('what is given as a whole is plain data: its reader may ask it for names that it does not have', () => {
  const whole = fill({ a: '<%= fleet %>', b: '<%= [host, { host }] %>' }, scope) as {
    readonly a: { readonly what?: unknown };
    readonly b: readonly { readonly what?: unknown; readonly host?: { readonly what?: unknown } }[];
  };
  expect(whole).toEqual({ a: s0Fleet, b: [host, { host }] });
  expect([whole.a.what, whole.b[0]?.what, whole.b[1]?.host?.what]).toEqual([undefined, undefined, undefined]);
});

test('a whole that is not known yet may wait', () => {
  expect(() => fill('<%= facts %>', scope)).toThrow(FactsNeeded);
  const said = { stdout: 'x', stderr: '', exit: 0 } as never;
  expect(() => fill('<%= registered %>', { ...scope, registers: ['one', 'two'], registered: { one: said } })).toThrow(FactsNeeded);
  expect(fill('<%= registered %>', { ...scope, registers: ['one'], registered: { one: said } })).toEqual({ one: said });
});

test('quote makes one word for a shell of a value, whatever is in it, and one of each value of a list', () => {
  const vars = { bad: "it's $(id) `id`\n;", list: ['a b', 2], secret: '\uE000secret db\uE001' };
  expect(fill('run <%= quote(vars.bad) %> <%= quote(vars.list) %>', { ...scope, vars })).toBe("run 'it'\\''s $(id) `id`\n;' 'a b' 2");
  expect(() => fill('run <%= quote(vars.secret) %>', { ...scope, vars })).toThrow('a secret, whose value is not known here');
  expect(() => fill('run <%= quote(item.none) %>', { ...scope, loop: { item: {}, index: 0 } })).toThrow('gives undefined');
});
