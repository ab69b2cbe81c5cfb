import { describe, expect, test } from 'vitest';
import { holdLock } from '../../../src/apply/lock/hold-lock.ts';
import { freezeFile } from '../../../src/probe/traces.ts';
import { isolatedConnection } from '../../support/isolated.ts';

const owner = { run: 'one', who: 'one@control', command: "lvsctl deploy 'a b.yaml'" };
const until = Math.floor(Date.now() / 1000) + 600;
const byAnother = `mkdir -p /run/lvsctl/lock
read -r up rest </proc/uptime
printf '%s\\n' ann 'ann@control' 'lvsctl deploy' >/run/lvsctl/lock/owner
printf '%s\\n' "\${up%%.*}" >/run/lvsctl/lock/beat`;
const frozen = (until: string): string => `mkdir -p /var/lib/lvsctl; printf '%s\\n' ${until} ann@control 'the  sale' >${freezeFile}`;

/** Each in turn stands as /bin/sh. */
describe.each(['dash', 'bash', 'busybox', 'mksh'])('the lock with %s as sh', (shell) => {
  const hold = async (prepare: string, again = false) => {
    const held = await holdLock(
      isolatedConnection(shell, () => prepare),
      owner,
      again ? undefined : { last: '' },
    );
    if (held.answer?.kind === 'locked') held.channel.stdin.end('release\n');
    else held.channel.close();
    return { answer: held.answer, complaint: held.complaint(), ended: await held.ended };
  };

  test('is given, kept and given back', async () => {
    expect(await hold(':')).toEqual({ answer: { kind: 'locked' }, complaint: '', ended: true });
  });

  test('is refused where another run has it, or the host is frozen', async () => {
    expect((await hold(byAnother)).answer).toMatchObject({ kind: 'held', lock: { run: 'ann', who: 'ann@control' } });
    expect((await hold(frozen(String(until)))).answer).toEqual({ kind: 'frozen', frozen: { until, who: 'ann@control', why: 'the  sale' } });
  });

  test('is not refused where that is over, or cannot be read, or the run has begun already', async () => {
    for (const said of ['1', 'soon', '99999999999999']) expect((await hold(frozen(said))).answer).toEqual({ kind: 'locked' });
    expect((await hold(frozen(String(until)), true)).answer).toEqual({ kind: 'locked' });
  });
});
