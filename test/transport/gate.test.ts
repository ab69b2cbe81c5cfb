import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createGate, type Place } from '../../src/transport/gate.ts';

/** Lets every promise that can go on go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('lets in at most so many, in order, whoever leaves when', async () => {
  const check = async (places: number, callers: number, leaving: number[]): Promise<void> => {
    const gate = createGate(places);
    const inside: Place[] = [];
    const order: number[] = [];
    let most = 0;
    for (let number = 0; number < callers; number++) {
      void gate.enter().then((place) => {
        order.push(number);
        inside.push(place);
        most = Math.max(most, inside.length);
      });
    }
    await settle();
    for (const which of [...leaving, ...Array<number>(callers).fill(0)]) {
      inside.splice(which % Math.max(1, inside.length), 1)[0]?.leave();
      await settle();
    }
    expect(most).toBe(Math.min(places, callers));
    expect(order).toEqual(Array.from({ length: callers }, (_, number) => number));
  };
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.nat(10), fc.array(fc.nat(), { maxLength: 10 }), check), {
    numRuns: 50,
  });
});

it('gives a place back once, however often it is left', async () => {
  const gate = createGate(1);
  const first = await gate.enter();
  first.leave();
  first.leave();
  await gate.enter();
  let third = false;
  void gate.enter().then(() => {
    third = true;
  });
  await settle();
  expect(third).toBe(false);
});

it('has fewer places after somebody stepped back, who is then the first to come in again', async () => {
  const gate = createGate(3);
  const [one, two, three] = [await gate.enter(), await gate.enter(), await gate.enter()];
  const order: string[] = [];
  void gate.enter().then(() => order.push('late'));
  void three.stepBack().then(() => order.push('three'));
  void two.stepBack().then(() => order.push('two'));
  await settle();
  expect([order, one.alone()]).toEqual([[], true]);
  one.leave();
  await settle();
  expect(order).toEqual(['two']);
  two.leave();
  await settle();
  expect(order).toEqual(['two', 'three']);
});

it('throws the failure at those who wait and those who come', async () => {
  const gate = createGate(1);
  await gate.enter();
  const waiting = gate.enter();
  gate.fail(new Error('gone'));
  gate.fail(new Error('again'));
  await expect(waiting).rejects.toThrow('gone');
  await expect(gate.enter()).rejects.toThrow('gone');
});
