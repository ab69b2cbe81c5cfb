import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Fault, must, said } from '../fault.ts';
import { marked, playbook, type Target } from '../target.ts';

const here = ['--limit', 'web1'];

interface Told {
  readonly run: string;
  readonly command: string;
  readonly hosts: readonly { readonly host: string; readonly changes: readonly { readonly title: string; readonly result: string }[] }[];
}

/** A line of --observe. */
interface Look {
  readonly wrong: readonly unknown[];
  readonly appeared: readonly { readonly host: string }[];
  readonly gone: readonly unknown[];
}

async function historyOf(target: Target): Promise<readonly Told[]> {
  const { exit, stdout, stderr } = await target.run(['history'], ...here, '--json');
  must(exit === 0, 'the history is told', stdout + stderr);
  return (JSON.parse(stdout) as { readonly runs: readonly Told[] }).runs;
}

/** Somebody else has a say in what becomes of a host. */
export const otherFaults: readonly Fault[] = [
  {
    fault: 'somebody has frozen the host',
    holds: 'every command that changes is refused, with who and why; once it is lifted they go on; the history tells what was done',
    tries: 1,
    async play(target) {
      const one = await target.deploy(marked('one'));
      must(one.exit === 0, 'a deploy before', said(one));
      const frozen = await target.run(['freeze'], ...here, '--until', '8h', '--why', 'the sale');
      must(frozen.exit === 0 && /^web1: .*the sale/.test(frozen.stdout), 'it is frozen', said(frozen));
      const refused = [await target.deploy(marked('two')), await target.run(['rollback'], ...here, '--yes')];
      for (const run of refused) must(run.exit === 6 && run.stderr.includes('the sale'), 'it is refused, with the reason', said(run));
      must(target.shell('cat /srv/marks') === 'begin one\nend one\n', 'nothing is touched', target.shell('cat /srv/marks'));
      const lifted = await target.run(['freeze'], ...here, '--lift');
      must(lifted.exit === 0, 'it is lifted', said(lifted));
      const two = await target.deploy(marked('two'));
      must(two.exit === 0, 'a deploy after', said(two));
      const runs = await historyOf(target);
      const titles = runs.map(({ hosts }) => hosts.map(({ host, changes }) => `${host}: ${changes.map(({ title }) => title)}`).join());
      must(titles.length === 2 && /one/.test(titles[0] ?? '') && /two/.test(titles[1] ?? ''), 'two runs, each with what it did', titles);
    },
  },
  {
    fault: 'somebody is at work on the host',
    holds: 'who it is and what at is said; their lock is not let go; when they are done, nobody has it',
    tries: 1,
    async play(target) {
      const going = target.begin(marked('slow', 8));
      while (!target.shell('cat /srv/marks 2>/dev/null || :').includes('begin')) await new Promise((wake) => setTimeout(wake, 100));
      const status = await target.run(['lock', 'status'], ...here);
      must(status.exit === 6 && /^web1: lvsctl deploy .* by \S+@\S+ \(run /.test(status.stdout), 'who is at work', said(status));
      const release = await target.run(['lock', 'release'], ...here);
      must(release.exit === 6 && /^web1: kept/.test(release.stdout), 'the lock is kept', said(release));
      const run = await going.ended;
      must(run.exit === 0, 'the run ends well', said(run));
      const after = await target.run(['lock', 'status'], ...here);
      must(after.exit === 0 && after.stdout === 'web1: nobody is at work\n', 'nobody is at work', said(after));
    },
  },
  {
    fault: 'somebody changes the host behind our back',
    holds: '--observe says so at its next look, and when it is as it was; it changes nothing itself',
    tries: 1,
    async play(target) {
      const made = await target.deploy(marked('one'));
      must(made.exit === 0, 'a deploy before', said(made));
      const watching = target.start(['plan'], '--playbook', target.book, ...here, '--observe', '10s', '--json');
      const looks = (): readonly Look[] =>
        watching
          .heard()
          .split('\n')
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line) as Look);
      const until = async (count: number): Promise<Look | undefined> => {
        while (looks().length < count) await new Promise((wake) => setTimeout(wake, 100));
        return looks()[count - 1];
      };
      const first = await until(1);
      must(JSON.stringify([first?.wrong, first?.appeared]) === '[[],[]]', 'nothing is wrong at first', watching.heard());
      target.shell('mv /srv/one /srv/elsewhere');
      const second = await until(2);
      must(
        second?.appeared.length === 1 && second.appeared[0]?.host === 'web1' && second.gone.length === 0,
        'the change is seen',
        watching.heard(),
      );
      target.shell('mv /srv/elsewhere /srv/one');
      const third = await until(3);
      must(third?.gone.length === 1 && third.wrong.length === 0, 'that it is as it was is seen', watching.heard());
      watching.kill('SIGINT');
      const { exit } = await watching.ended;
      must(
        exit === 130 && target.shell('cat /srv/marks') === 'begin one\nend one\n',
        'it ends when it is asked to, and has done nothing',
        exit,
      );
    },
  },
  {
    fault: 'a plan that was saved, and a host that is not as it was then',
    holds: 'it is refused and nothing is touched; --check says so beforehand; what was read is done where all is as it was, and once',
    tries: 1,
    async play(target) {
      const book = join(target.folder, 'saved.yaml');
      const file = join(target.folder, 'plan.json');
      writeFileSync(book, playbook('    - { name: a file, copy: { dest: /srv/file, content: "new\\n" } }\n'));
      const words = [...here, '--playbook', book];
      const plan = () => target.run(['plan'], ...words, '--out', file);
      const deploy = (...more: readonly string[]) => target.run(['deploy'], ...words, '--plan', file, ...more);
      const now = () => target.shell('cat /srv/file 2>/dev/null || :');
      const kept = await plan();
      must(kept.exit === 2, 'it is kept', said(kept));
      const holds = await deploy('--check');
      must(holds.exit === 2 && now() === '', '--check: it holds, and nothing is done', said(holds));
      target.shell('echo theirs >/srv/file');
      for (const stale of [await deploy('--check'), await deploy()])
        must(stale.exit === 4 && /does not hold any more: web1/.test(stale.stderr), 'it is refused', said(stale));
      must(now() === 'theirs\n', 'nothing is touched', now());
      const anew = await plan();
      const done = await deploy();
      must(anew.exit === 2 && done.exit === 0 && now() === 'new\n', 'a new one is done', said(done));
      const twice = await deploy();
      must(twice.exit === 0 && / 0 changes/.test(twice.stdout), 'it is not done again', said(twice));
    },
  },
  {
    fault: 'a configuration that somebody else has written',
    holds: 'it is not replaced, and what would be is not begun; with --take-over it is, and how it was is kept',
    tries: 1,
    async play(target) {
      // What looks at a configuration before it replaces the old one.
      target.shell(
        'mkdir -p /srv/nginx/conf /srv/nginx/sbin; printf "#!/bin/sh\\n" >/srv/nginx/sbin/nginx; chmod 755 /srv/nginx/sbin/nginx',
      );
      target.shell('echo "# by hand" >/srv/nginx/conf/nginx.conf');
      const tasks = `${marked('one')}    - { name: theirs, nginx_config: { prefix: /srv/nginx, user: root, group: root, nofile: 4096, port: 80, listen: [0.0.0.0], marker: web1 } }\n`;
      const conf = (): string => target.shell('cat /srv/nginx/conf/nginx.conf');
      const refused = await target.deploy(tasks);
      must(refused.exit === 4, 'it is refused', said(refused));
      must(/nginx\.conf is there, and lvsctl has not written it; .*--take-over/.test(refused.stdout), 'with what to do', said(refused));
      must(conf() === '# by hand\n' && target.shell('ls /srv') === 'nginx\n', 'nothing is touched', target.shell('ls /srv; ls /srv/nginx'));
      const taken = await target.deploy(tasks, '--take-over');
      must(taken.exit === 0, 'it is taken over', said(taken));
      must(conf().startsWith('# Managed by lvsctl'), 'it is ours', conf());
      must(target.shell('grep -rl "by hand" /var/lib/lvsctl/before | wc -l').trim() !== '0', 'how it was is kept', 'nothing');
      const again = await target.deploy(tasks);
      must(again.exit === 0 && / 0 changes/.test(again.stdout), 'it stays ours', said(again));
    },
  },
];
