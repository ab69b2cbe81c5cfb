/** Who may change a host: locks over real sshd, whose /run is its own, through a proxy that cuts. */
import { afterEach, expect, test, vi } from 'vitest';
import type { Before } from '../../src/apply/lock/lock-script.ts';
import { type Locks, takeLocks } from '../../src/apply/lock/locks.ts';
import { EXIT, LvsError } from '../../src/errors.ts';
import type { Lock, Traces } from '../../src/model.ts';
import { probeHost } from '../../src/probe/probe.ts';
import { renewable } from '../../src/transport/renewable.ts';
import { runScript } from '../../src/transport/run-script.ts';
import type { Connection } from '../../src/transport/transport.ts';
import { startIsolatedSshd } from '../support/isolated-sshd.ts';
import type { CuttingProxy } from '../support/proxy.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Bench {
  readonly proxy: CuttingProxy;
  /** A control machine of its own. */
  control(run: string): Promise<Control>;
}

interface Control {
  readonly connection: Connection;
  /** `before` is the run that its look has seen there, or all that it has seen. */
  take(before?: string | Before): Promise<Locks>;
  traces(): Promise<Traces>;
  shell(script: string): Promise<string>;
}

async function bench(): Promise<Bench> {
  const { proxy, transport, host, stop } = await startIsolatedSshd(['/run/lvsctl', '/var/log/lvsctl']);
  cleanups.push(stop);
  return {
    proxy,
    async control(run) {
      const connection = await renewable(host, transport);
      cleanups.push(() => connection.close());
      const connections = new Map([[host.name, connection]]);
      return {
        connection,
        take: (before = '') =>
          takeLocks([host.name], {
            owner: { run, who: `${run}@control`, command: `lvsctl deploy ${run}.yaml` },
            connections,
            before: { [host.name]: typeof before === 'string' ? { last: before } : before },
          }),
        traces: async () => {
          const seen = await probeHost(connection, {}, { timeout: 20, resolve: (text) => text });
          if (!seen.reached || !seen.traces) throw new Error('no traces');
          return seen.traces;
        },
        shell: async (script) => (await runScript(connection, script, { timeout: 20 })).stdout,
      };
    },
  };
}

const refused = (taking: Promise<Locks>) =>
  taking.then(
    () => undefined,
    (error: LvsError) => ({ exit: error.exitCode, message: error.message }),
  );

test('one run at a time: the other one is told who is at work, and comes in afterwards', async () => {
  const { control } = await bench();
  const [one, other] = [await control('one'), await control('other')];
  const locks = await one.take();
  expect((await other.traces()).lock).toMatchObject({ run: 'one', who: 'one@control', command: 'lvsctl deploy one.yaml', left: false });
  expect(await refused(other.take('one'))).toEqual({
    exit: EXIT.locked,
    message: expect.stringMatching(
      /^another run is at work here: lvsctl deploy one\.yaml by one@control \(run one, last sign of life \d+ s ago\)$/,
    ),
  });
  await locks.release();
  expect((await other.traces()).lock).toBeUndefined();
  await (await other.take('one')).release();
});

test('of many that come at once, one gets in', async () => {
  const { control } = await bench();
  const controls = await Promise.all(['a', 'b', 'c', 'd'].map((run) => control(run)));
  const taken = await Promise.allSettled(controls.map((each) => each.take()));
  expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('a plan that was made before another run touched the host is refused', async () => {
  const { control } = await bench();
  const [one, other] = [await control('one'), await control('other')];
  const { last } = await other.traces();
  await (await one.take()).release();
  expect(await refused(other.take(last))).toEqual({
    exit: EXIT.locked,
    message: 'another run (one) has touched it after this one had looked: nothing was touched',
  });
  expect((await other.traces()).last).toBe('one');
});

test('so is one that was made while another run was at work, whether that has ended since or is gone', async () => {
  const { control } = await bench();
  const [one, other] = [await control('one'), await control('other')];
  const locks = await one.take();
  const during = await other.traces();
  expect(during).toMatchObject({ last: 'one', lock: { run: 'one' } });
  await locks.release();
  const stale = { exit: EXIT.locked, message: 'another run (one) has touched it after this one had looked: nothing was touched' };
  expect(await refused(other.take(during))).toEqual(stale);
  // It seemed to be gone, and came back.
  expect(await refused(other.take({ last: 'one', lock: { ...(during.lock as Lock), left: true } }))).toEqual(stale);
  await (await other.take(await other.traces())).release();
});

test('a line that breaks keeps its lock: it is taken again over a new one', async () => {
  const { proxy, control } = await bench();
  const [one, other] = [await control('one'), await control('other')];
  const locks = await one.take();
  const holder = () => other.shell('cat /run/lvsctl/lock/holder');
  const before = await holder();
  proxy.cut();
  await other.connection.renew?.();
  await vi.waitFor(async () => expect(await holder()).not.toBe(before), { timeout: 20_000 });
  expect((await other.traces()).lock).toMatchObject({ run: 'one', left: false });
  expect(await refused(other.take('one'))).toMatchObject({ exit: EXIT.locked });
  await locks.check('web1');
  await locks.release();
  await (await other.take('one')).release();
});

test('a run whose control machine is gone is waited for a moment, then its lock is broken; what it has left goes', async () => {
  const { control } = await bench();
  const [one, other] = [await control('one'), await control('other')];
  await one.take();
  await one.shell('mkdir -p /run/lvsctl/one-0-web1-0/started; echo 999999 >/run/lvsctl/one-0-web1-0/started/pid');
  // As the kernel does it for a process that is killed: nobody says goodbye.
  Object.assign(one.connection, { renew: undefined });
  one.connection.close();
  await vi.waitFor(async () => expect((await other.traces()).lock?.left).toBe(true), { timeout: 20_000 });
  const locks = await other.take(await other.traces());
  expect(locks.broken).toEqual(['web1: the lock that lvsctl deploy one.yaml by one@control (run one) had left behind was taken over']);
  expect(await other.shell('ls /run/lvsctl')).toBe('last\nlock\n');
  await locks.release();
});

test('while something of a run is at work its lock stands, whoever is gone', async () => {
  const { control } = await bench();
  const [one, other] = [await control('one'), await control('other')];
  await one.take();
  await one.shell(
    'mkdir -p /run/lvsctl/one-0-web1-0/started; setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $! >/run/lvsctl/one-0-web1-0/started/pid',
  );
  cleanups.push(() => other.shell('kill "$(cat /run/lvsctl/one-0-web1-0/started/pid)"'));
  Object.assign(one.connection, { renew: undefined });
  one.connection.close();
  await vi.waitFor(async () => expect((await other.traces()).lock?.left).toBe(true), { timeout: 20_000 });
  expect(await refused(other.take('one'))).toMatchObject({ exit: EXIT.locked, message: expect.stringContaining('another run is at work') });
});

test('a lock is given back although the line broke just before', async () => {
  const { proxy, control } = await bench();
  const [one, other] = [await control('one'), await control('other')];
  const locks = await one.take();
  proxy.cut();
  await locks.release();
  await other.connection.renew?.();
  expect((await other.traces()).lock).toBeUndefined();
});

/** It goes down as for a reboot, and is not to be had again by whoever only waits for a while; `back` opens a line as whoever waits longer does. */
function goesDown({ connection }: Control, proxy: CuttingProxy): { readonly back: () => Promise<void> } {
  const { renew } = connection;
  let down = true;
  const gone = new LvsError('no route to host', { code: 'ssh.host-key-changed', exitCode: EXIT.unreachable });
  Object.assign(connection, { renew: () => (down ? Promise.reject(gone) : renew?.()) });
  proxy.cut();
  return {
    back: async () => {
      down = false;
      await connection.renew?.();
    },
  };
}

const checked = (locks: Locks) =>
  locks.check('web1').then(
    () => 'ours',
    ({ exitCode, message }: LvsError) => `${exitCode} ${message}`,
  );

test('a lock that is not to be had again is lost, and stays so', async () => {
  const { proxy, control } = await bench();
  const one = await control('one');
  const locks = await one.take();
  const { back } = goesDown(one, proxy);
  await vi.waitFor(() => expect(one.connection.lost?.()).toBe(true));
  const lost = '6 the lock went with the line and cannot be taken again: the line broke, and there is no new one: no route to host';
  expect(await checked(locks)).toBe(lost);
  await back();
  expect(await checked(locks)).toBe(lost);
});

test('a host that was away for longer than it is waited for is locked again before anything else is done there', async () => {
  const { proxy, control } = await bench();
  const [one, other] = [await control('one'), await control('other')];
  const locks = await one.take();
  const { back } = goesDown(one, proxy);
  await other.connection.renew?.();
  await other.shell('rm -rf /run/lvsctl');
  await back();
  expect((await other.traces()).lock).toBeUndefined();
  expect(await checked(locks)).toBe('ours');
  expect((await other.traces()).lock).toMatchObject({ run: 'one', left: false });
  await locks.release();
  expect((await other.traces()).lock).toBeUndefined();
});

test('a host that another run has had meanwhile is left alone', async () => {
  const { proxy, control } = await bench();
  const [one, other] = [await control('one'), await control('other')];
  const locks = await one.take();
  const { back } = goesDown(one, proxy);
  await other.connection.renew?.();
  await (await other.take('one')).release();
  await back();
  expect(await checked(locks)).toBe('6 another run (other) has had the host while the line was broken: nothing more is done here');
  expect((await other.traces()).lock).toBeUndefined();
});

test('a lock that somebody takes away is not taken again', async () => {
  const { control } = await bench();
  const [one, other] = [await control('one'), await control('other')];
  const locks = await one.take();
  await other.shell('rm -r /run/lvsctl/lock');
  await vi.waitFor(async () => expect(await checked(locks)).toBe('6 the lock of this run was released by somebody else'), {
    timeout: 20_000,
    interval: 500,
  });
  expect((await other.traces()).lock).toBeUndefined();
});

test("a host that was not locked is not this run's", async () => {
  const { control } = await bench();
  const locks = await (await control('one')).take();
  await expect(locks.check('web2')).rejects.toMatchObject({ exitCode: EXIT.locked, where: { host: 'web2' } });
  await locks.release();
});

test('where one host does not answer any more none stays locked, and nobody comes back for it', async () => {
  const { control } = await bench();
  const [one, other] = [await control('one'), await control('other')];
  const gone = new LvsError('no route to host', { code: 'ssh.unreachable', exitCode: EXIT.unreachable, where: { host: 'web2' } });
  const web2: Connection = {
    host: { ...one.connection.host, name: 'web2' },
    channels: 0,
    shell: async () => {
      // The other one has its lock by then.
      await vi.waitFor(async () => expect((await other.traces()).lock).toBeDefined(), { timeout: 20_000 });
      throw gone;
    },
    close: () => {},
  };
  const connections = new Map([one.connection, web2].map((each) => [each.host.name, each]));
  const owner = { run: 'one', who: 'one@control', command: 'lvsctl deploy' };
  expect(await refused(takeLocks(['web1', 'web2'], { owner, connections, before: {} }))).toEqual({ exit: 5, message: 'no route to host' });
  expect((await other.traces()).lock).toBeUndefined();
  one.connection.close();
  await expect(one.connection.shell()).rejects.toThrow();
  await expect(one.connection.renew?.()).rejects.toMatchObject({ code: 'ssh.closed' });
});
