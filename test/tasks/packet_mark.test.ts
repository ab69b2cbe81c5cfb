import { expect, test } from 'vitest';
import { renderSh } from '../../src/sh/sh.ts';
import task from '../../src/tasks/packet_mark.ts';
import { planContext } from '../support/plan-context.ts';

const words = (port: number) =>
  `ipv4 mangle PREROUTING 0 -d 10.18.43.30 -p tcp --dport ${port} -m comment --comment lvsctl -j MARK --set-mark 5`;
const others = 'ipv4 mangle PREROUTING 0 -d 10.18.43.30 -p tcp --dport 25 -j MARK --set-mark 9';

test('where firewalld runs and there is no nft, its direct rules are ours: added and taken away by themselves', () => {
  const want = task.params.parse({ rules: [{ vip: '10.18.43.30', mark: 5, ports: [{ port: 80 }, { port: 443 }] }] });
  const runs = (live: readonly string[], persisted: readonly string[]) => {
    const said = [...live.map((line) => `live-direct|${line}`), ...persisted.map((line) => `persisted-direct|${line}`)];
    const stdout = `type missing\n\nend\nunit LoadState=not-found\nunit ActiveState=inactive\ntool firewalld\n${said.join('\n')}\ntool iptables\ntool ip6tables\n`;
    const seen = task.parse({ stdout, stderr: '', exit: 0 }, want);
    return task.plan(seen, want, planContext()).map(({ run }) => renderSh(run, String));
  };
  expect(runs([others, words(80), words(8080)], [others, words(80), words(443)])).toEqual([
    `firewall-cmd  --direct --add-rule ${words(443)}`,
    `firewall-cmd  --direct --remove-rule ${words(8080)}`,
  ]);
  expect(runs([words(80), words(443)], [words(80)])).toEqual([`firewall-cmd --permanent --direct --add-rule ${words(443)}`]);
  expect(runs([words(80), words(443), others], [words(443), words(80)])).toEqual([]);
});
