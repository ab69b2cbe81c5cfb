import { expect, test } from 'vitest';
import type { Host } from '../../src/model.ts';
import { renewable } from '../../src/transport/renewable.ts';
import type { Connection } from '../../src/transport/transport.ts';
import { s0Fleet } from '../support/plan-context.ts';

const [host] = s0Fleet.hosts as readonly [Host];

/** Each line counts how often it was closed; every other attempt to connect fails. */
function transport() {
  const closed: number[] = [];
  let attempts = 0;
  const connect = async (): Promise<Connection> => {
    if (++attempts % 2 === 0) throw new Error('down');
    const number = closed.push(0) - 1;
    const close = (): void => {
      closed[number] = (closed[number] ?? 0) + 1;
    };
    return { host, channels: 2, shell: () => Promise.reject(new Error(`line ${number}`)), close };
  };
  return { connect, closed };
}

test('whoever holds it goes on over the new line, and its channels add up', async () => {
  const { connect, closed } = transport();
  const connection = await renewable(host, { connect });
  await expect(connection.renew?.()).rejects.toThrow('down');
  await expect(connection.shell()).rejects.toThrow('line 0');
  await connection.renew?.();
  await expect(connection.shell()).rejects.toThrow('line 1');
  expect({ channels: connection.channels, closed }).toEqual({ channels: 4, closed: [1, 0] });
});

test('a line is closed once, however often it is tried to open another', async () => {
  const { connect, closed } = transport();
  const connection = await renewable(host, { connect });
  await expect(connection.renew?.()).rejects.toThrow('down');
  await connection.renew?.();
  connection.close();
  connection.close();
  expect(closed).toEqual([1, 1]);
});

test('what is closed is not opened again, also when that was under way', async () => {
  const { connect, closed } = transport();
  const connection = await renewable(host, { connect });
  await expect(connection.renew?.()).rejects.toThrow('down');
  const underWay = connection.renew?.();
  connection.close();
  await expect(underWay).rejects.toMatchObject({ code: 'ssh.closed', exitCode: 5 });
  await expect(connection.renew?.()).rejects.toMatchObject({ code: 'ssh.closed' });
  expect(closed).toEqual([1, 1]);
});
