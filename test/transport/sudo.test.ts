/**
 * sudo may be absent where tests run, and what it asks must not depend on the machine: here a stand-in speaks its side of the protocol
 * (prompt on stderr, password from stdin a byte at a time, then the command), over a real sshd. The real sudo is proven in the lab.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { runScript } from '../../src/transport/run-script.ts';
import { sshTransport } from '../../src/transport/ssh/ssh.ts';
import { dropThrough, sudoMarks } from '../../src/transport/sudo.ts';
import type { Connection } from '../../src/transport/transport.ts';
import { type Sshd, type SshdOptions, sshdHost, startSshd, writeKnownHosts } from '../support/sshd.ts';

/** Asks when there is a file `password`; keeps what it was sent in `got`. Says what sudo says, to where sudo says it. */
const standIn = `#!/bin/sh
[ "$1 $2" = '-S -p' ] || { echo "usage: $*" >&2; exit 1; }
prompt=$(printf '%s' "$3" | sed 's/%%/%/g')
shift 3
[ -e "$HOME/refused" ] && { echo 'root-to-be is not in the sudoers file.' >&2; exit 1; }
[ -e "$HOME/password" ] || exec "$@"
echo 'We trust you have received the usual lecture.' >&2
for try in 1 2 3; do
printf '%s' "$prompt" >&2
IFS= read -r got || { echo 'sudo: no password was provided' >&2; exit 1; }
printf '%s\\n' "$got" >>"$HOME/got"
[ "$got" = "$(cat "$HOME/password")" ] && exec "$@"
echo 'Sorry, try again.' >&2
done
echo 'sudo: 3 incorrect password attempts' >&2
exit 1
`;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(files: Readonly<Record<string, string>> = {}, options: SshdOptions = {}): Promise<Sshd> {
  const environment = (dir: string): Record<string, string> => ({ PATH: `${dir}:/usr/bin:/bin` });
  const sshd = await startSshd({ ...options, files: { sudo: standIn, ...files }, environment });
  cleanups.push(sshd.stop);
  return sshd;
}

async function connectTo(sshd: Sshd, sudoPassword?: () => Promise<string>, timeout = 10): Promise<Connection> {
  const transport = sshTransport({ knownHosts: [writeKnownHosts(sshd)], agentSocket: '', ...(sudoPassword && { sudoPassword }) });
  const connection = await transport.connect(sshdHost(sshd, { sudo: true, timeout }));
  cleanups.push(() => connection.close());
  return connection;
}

const script = 'echo "out $(id -u)"; echo err >&2; cat; exit 7\n';
const wanted = { stdout: `out ${userInfo().uid}\n`, stderr: 'err\n', exit: 7 };
const got = (sshd: Sshd): string => execFileSync('cat', [join(sshd.dir, 'got')], { encoding: 'utf8' });

describe('a root shell', () => {
  it('is had without a password where sudo needs none', async () => {
    const connection = await connectTo(await serve());
    expect(await runScript(connection, script, { timeout: 10 })).toMatchObject(wanted);
  });

  it('is had with the password, and neither prompt nor mark nor lecture is seen', async () => {
    const sshd = await serve({ password: 'pass word $(x) \'"' });
    const connection = await connectTo(sshd, async () => 'pass word $(x) \'"');
    expect(await runScript(connection, script, { timeout: 10 })).toMatchObject(wanted);
    expect(got(sshd)).toBe('pass word $(x) \'"\n');
  });

  it('is had four times at once', async () => {
    const connection = await connectTo(await serve({ password: 'secret' }), async () => 'secret');
    const results = await Promise.all([1, 2, 3, 4].map(() => runScript(connection, script, { timeout: 10 })));
    for (const result of results) expect(result).toMatchObject(wanted);
  });

  it('reads nothing before its script, not even the password where sudo does not ask', async () => {
    const connection = await connectTo(await serve(), async () => 'touch "$HOME/harm"');
    expect(await runScript(connection, 'ls "$HOME/harm"; exit 5\n', { timeout: 10 })).toMatchObject({ stdout: '', exit: 5 });
  });

  it('is told apart from what the login prints, on either output and without a newline', async () => {
    const sshd = await serve({
      '.bashrc': 'echo welcome; echo careful >&2; printf "no newline"; printf "none here" >&2\n',
      password: 'secret',
    });
    const shell = { config: ['ForceCommand bash -c ". ~/.bashrc; $SSH_ORIGINAL_COMMAND"'] };
    const noisy = await serve(
      { '.bashrc': 'echo welcome; echo careful >&2; printf "no newline"; printf "none here" >&2\n', password: 'secret' },
      shell,
    );
    for (const one of [sshd, noisy]) {
      expect(await runScript(await connectTo(one, async () => 'secret'), script, { timeout: 10 })).toMatchObject(wanted);
    }
  });

  it('is told apart from a login that echoes its commands: no password goes to a sudo that did not ask', async () => {
    const config = ['ForceCommand set -xv; eval "$SSH_ORIGINAL_COMMAND"'];
    const connection = await connectTo(await serve({}, { config }), async () => 'touch "$HOME/harm"');
    expect(await runScript(connection, 'ls "$HOME/harm"; exit 5\n', { timeout: 10 })).toMatchObject({ stdout: '', exit: 5 });
  });
});

describe('no root shell', () => {
  it('when the password is wrong: it is sent once', async () => {
    const sshd = await serve({ password: 'secret' });
    const connection = await connectTo(sshd, async () => 'wrong');
    await expect(connection.shell()).rejects.toMatchObject({ code: 'ssh.sudo-password', exitCode: 5, where: { host: 'web1' } });
    expect(got(sshd)).toBe('wrong\n');
  });

  it('when sudo asks and nobody knows the password', async () => {
    const connection = await connectTo(await serve({ password: 'secret' }));
    await expect(connection.shell()).rejects.toMatchObject({
      code: 'ssh.sudo-password',
      exitCode: 5,
      hint: expect.stringContaining('--ask-become-pass'),
    });
  });

  it('when the person who is asked refuses, with that error', async () => {
    const connection = await connectTo(await serve({ password: 'secret' }), () => Promise.reject(new Error('interrupted')));
    await expect(connection.shell()).rejects.toThrow('interrupted');
  });

  it('when the user may not, in the words of sudo', async () => {
    const connection = await connectTo(await serve({ refused: '' }), async () => 'secret');
    await expect(connection.shell()).rejects.toMatchObject({
      code: 'ssh.sudo-refused',
      exitCode: 5,
      message: expect.stringContaining('not in the sudoers'),
    });
  });

  it('when there is no sudo', async () => {
    const sshd = await startSshd({ environment: (dir) => ({ PATH: dir }) });
    cleanups.push(sshd.stop);
    const connection = await connectTo(sshd);
    await expect(connection.shell()).rejects.toMatchObject({ code: 'ssh.sudo-refused', message: expect.stringMatching(/not found/) });
  });

  it('when sudo does not come to an end; the time to type the password does not count', async () => {
    const silent = await connectTo(await serve({ sudo: '#!/bin/sh\necho thinking >&2\ncat\n' }), undefined, 2);
    await expect(silent.shell()).rejects.toMatchObject({ code: 'ssh.sudo-refused', message: expect.stringContaining('2 s: thinking') });
    const slowTyping = await connectTo(
      await serve({ password: 'secret' }),
      () => new Promise((resolve) => setTimeout(resolve, 1000, 'secret')),
      0.5,
    );
    expect(await runScript(slowTyping, script, { timeout: 10 })).toMatchObject(wanted);
  });

  it('and its place goes to the next', async () => {
    const sshd = await serve({ password: 'secret' }, { config: ['MaxSessions 1'] });
    let password = 'wrong';
    const connection = await connectTo(sshd, async () => password);
    for (let round = 0; round < 5; round++) await expect(connection.shell()).rejects.toMatchObject({ code: 'ssh.sudo-password' });
    password = 'secret';
    expect(await runScript(connection, script, { timeout: 10 })).toMatchObject(wanted);
  });
});

describe('the command', () => {
  it('has neither the prompt nor the mark in it, as they are printed', () => {
    const marks = sudoMarks();
    expect(marks.command).not.toContain(marks.prompt);
    expect(marks.command).not.toContain(marks.ready.trim());
    expect(sudoMarks().prompt).not.toBe(marks.prompt);
  });

  it('holds nothing that a login shell of another family reads differently', () => {
    // fish, csh and sh agree on words, on '…' without backslash, quote, newline or history sign in it, and on nothing else here.
    expect(sudoMarks().command).toMatch(/^sudo -S -p [\w%-]+ \/bin\/sh -c '[\w";>& /-]+'$/);
  });

  it.each([['dash'], ['bash', '--posix'], ['busybox', 'ash'], ['mksh']])('prints the mark on both outputs under %s', (...shell) => {
    const marks = sudoMarks();
    const [program = '', ...args] = shell;
    const command = marks.command.replace(/^sudo -S -p \S+ \/bin\/sh/, shell.join(' ').replace(' --posix', ''));
    const result = spawnSync(program, [...args, '-c', command], { input: 'echo done\n', encoding: 'utf8' });
    expect([result.stdout, result.stderr]).toEqual([`${marks.ready}done\n`, marks.ready]);
  });
});

describe('dropThrough', () => {
  const mark = 'lvsctl-rootabc\n';

  it('finds the mark in whatever pieces it comes, and passes on exactly what follows', async () => {
    const noise = fc.string({ unit: fc.constantFrom('lvsctl', '-', 'root', 'a', '\n', 'x', 'é') });
    const check = async (before: string, after: string, cuts: number[]): Promise<void> => {
      const whole = Buffer.from(before + mark + after);
      const source = new PassThrough();
      let times = 0;
      const out = text(
        source.pipe(
          dropThrough(mark, () => {
            times += 1;
          }),
        ),
      );
      const places = [0, ...cuts.map((cut) => cut % whole.length).sort((a, b) => a - b), whole.length];
      places.slice(1).forEach((end, index) => {
        source.write(whole.subarray(places[index], end));
      });
      source.end();
      expect(await out).toBe((before + mark + after).slice((before + mark).indexOf(mark) + mark.length));
      expect(times).toBe(1);
    };
    await fc.assert(fc.asyncProperty(noise, noise, fc.array(fc.nat(), { maxLength: 8 }), check));
  });

  it('passes on nothing without the mark, and does not keep all of an endless greeting', async () => {
    const held: number[] = [];
    const source = new PassThrough();
    const out = text(
      source.pipe(
        dropThrough(
          mark,
          () => undefined,
          (bytes) => {
            held.push(bytes.length);
            return bytes;
          },
        ),
      ),
    );
    for (let round = 0; round < 100; round++) source.write(Buffer.alloc(10_000, 'x'));
    source.end();
    expect(await out).toBe('');
    expect(Math.max(...held)).toBeLessThan(100_000);
  });
});
