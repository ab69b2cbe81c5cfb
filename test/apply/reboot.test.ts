import { describe, expect, test } from 'vitest';
import type { Job } from '../../src/apply/bundle/bundle.ts';
import { runAcrossReboots } from '../../src/apply/reboot.ts';
import { EXIT, LvsError } from '../../src/errors.ts';
import type { Event } from '../../src/model.ts';
import { newNonce } from '../../src/sh/frame.ts';
import { sh } from '../../src/task.ts';
import type { Connection } from '../../src/transport/transport.ts';
import { isolatedConnection } from '../support/isolated.ts';

const job = (title: string, more: Partial<Job> = {}): Job => ({
  title,
  run: sh`cat /proc/sys/kernel/random/boot_id; false`,
  timeout: 20,
  ...more,
});
const well = (title: string, more: Partial<Job> = {}): Job => job(title, { run: sh`true`, ...more });
const boot = (number: number) => `00000000-0000-0000-0000-00000000000${number}`;

const gone = (code: string, message: string) => new LvsError(message, { code, exitCode: EXIT.unreachable });
const unreachable = gone('ssh.unreachable', 'connection refused');

/** A host that breaks its line when it is told to reboot; each time that the line is opened anew, `next` says what happens. */
function host(next: readonly (number | LvsError)[]) {
  let now = 1;
  let turns = 0;
  let down = false;
  const line = isolatedConnection(
    'dash',
    () => `printf '%s\\n' ${boot(now)} >/var/boot && mount --bind /var/boot /proc/sys/kernel/random/boot_id || exit 72`,
  );
  const connection: Connection = {
    host: line.host,
    channels: 0,
    shell: async () => {
      if (down) throw unreachable;
      return line.shell();
    },
    async renew() {
      const what = next[turns++] ?? unreachable;
      if (what instanceof LvsError) throw what;
      [now, down] = [what, false];
    },
    close: () => {},
  };
  return {
    connection,
    turns: () => turns,
    goDown: () => {
      down = turns === 0;
    },
  };
}

const play = async ({ connection, goDown }: ReturnType<typeof host>, jobs: readonly Job[], check = async () => {}) => {
  const events: Event[] = [];
  const { outcomes, failed } = await runAcrossReboots(
    connection,
    { id: 'run-0', nonce: newNonce(), jobs },
    {
      resolve: (text) => text,
      conceal: (text) => text,
      check,
      emit: (event) => {
        events.push(event);
        if (event.kind === 'end' && event.title === 'reboot' && event.result === 'done') goDown();
      },
    },
  );
  return { events, outcomes, failed, results: outcomes.map(({ result }) => result) };
};

describe('a reboot in the middle', () => {
  test('what comes after runs on the new boot, once the host answers in another one', async () => {
    const machine = host([unreachable, 1, 2]);
    const { outcomes, results } = await play(machine, [well('before'), well('reboot', { reboots: 30 }), job('after'), well('never')]);
    expect(results).toEqual(['done', 'done', 'failed', 'not-run']);
    expect(outcomes[2]?.output).toBe(boot(2));
    expect(machine.turns()).toBe(3);
  });

  test('handlers know what was made before it, and on which side they belong', async () => {
    const machine = host([2]);
    const { results } = await play(machine, [
      well('before'),
      well('already', { unless: sh`true` }),
      well('reboot', { reboots: 30 }),
      well('after'),
      well('handler of before', { after: [0] }),
      well('handler of already', { after: [1] }),
      well('handler of after', { after: [1, 3] }),
    ]);
    expect(results).toEqual(['done', 'already', 'done', 'done', 'done', 'not-run', 'done']);
  });

  test('one that is not needed any more breaks nothing', async () => {
    const machine = host([]);
    expect((await play(machine, [well('reboot', { reboots: 30, unless: sh`true` }), well('after')])).results).toEqual(['already', 'done']);
    expect(machine.turns()).toBe(0);
  });

  test('a host that does not come back has failed, with the last reason', async () => {
    const machine = host([unreachable]);
    const { outcomes, results, events, failed } = await play(machine, [well('reboot', { reboots: 1 }), well('after')]);
    expect({ results, failed }).toEqual({ results: ['failed', 'not-run'], failed: ['top'] });
    expect(outcomes[0]?.output).toMatch(/^it was told to reboot and is not back after \d+ s: connection refused$/);
    expect(events.at(-1)).toMatchObject({ kind: 'end', result: 'failed', title: 'wait until the host is back' });
  });

  test("one that comes back as somebody else's is left alone: the rest is not sent, what was done before is told", async () => {
    const machine = host([2]);
    let asked = 0;
    const check = async (): Promise<void> => {
      if (++asked > 1) throw new LvsError('another run is at work here', { code: 'locked', exitCode: EXIT.locked, hint: 'wait' });
    };
    const jobs = [well('before'), well('reboot', { reboots: 30 }), well('after'), well('never')];
    const { outcomes, results, failed } = await play(machine, jobs, check);
    expect({ results, failed }).toEqual({ results: ['done', 'done', 'failed', 'not-run'], failed: ['top'] });
    expect(outcomes[2]?.output).toBe('another run is at work here; wait');
  });

  test('a host with another key is not asked a second time', async () => {
    const machine = host([gone('ssh.host-key-changed', 'its key has changed'), 2]);
    const { outcomes } = await play(machine, [well('reboot', { reboots: 30 })]);
    expect(outcomes[0]?.output).toContain('its key has changed');
    expect(machine.turns()).toBe(1);
  });
});
