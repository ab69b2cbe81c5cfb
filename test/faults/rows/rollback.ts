import { setTimeout as pause } from 'node:timers/promises';
import { type Fault, must } from '../fault.ts';
import type { Target } from '../target.ts';

const names = ['a', 'b', 'c'];

const write = (text: string): string =>
  names.map((name) => `    - { name: ${name}, copy: { dest: /srv/${name}, content: "${text}\\n" }, notify: tell }\n`).join('');
const contents = (target: Target): string => target.shell('cat /srv/a /srv/b /srv/c').replaceAll('\n', '');

export const rollbackFaults: readonly Fault[] = [
  {
    fault: 'kill -9 of lvsctl at a random point of a rollback, then the same again',
    holds: 'every file is as it was before the run that is undone; the handler has run since the last of them came back',
    tries: 10,
    async play(target) {
      for (const text of ['one', 'two']) await target.deploy(write(text));
      const [, run = ''] = /(\S+) {2}\S+ {2}lvsctl deploy .*book-2/.exec((await target.run(['history'], '--limit', 'web1')).stdout) ?? [];
      target.shell(': >/srv/told');
      const words = ['--limit', 'web1', '--yes', '--before', run];
      const first = target.start(['rollback'], ...words);
      await pause(300 + Math.random() * 4000);
      first.kill('SIGKILL');
      await first.ended;
      const { exit, stdout, stderr } = await target.run(['rollback'], ...words);
      const host = (): string =>
        target.shell('cd /run/lvsctl && ls -lR --full-time; tail -n +1 lock/* */started; cat /proc/uptime; ps -eo pid,ppid,etimes,args');
      must(exit === 0, 'the second one ends well', `exit ${exit}: ${stdout}${stderr}${exit === 6 ? host() : ''}`);
      must(contents(target) === 'oneoneone', 'files are back', contents(target));
      const told = target.shell('find /srv/told -newer /srv/c -size +0');
      must(told !== '', 'the handler has run', told);
      const again = await target.run(['rollback'], ...words);
      must(again.exit === 0 && / 0 changes/.test(again.stdout), 'nothing is left to do', again.stdout);
    },
  },
];
