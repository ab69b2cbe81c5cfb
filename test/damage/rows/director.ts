/** keepalived, its configuration on disk and in the process, and the modules of IPVS. */
import type { Damage } from '../damage.ts';
import { table } from './ipvs.ts';

const conf = '/etc/keepalived/keepalived.conf';
const content = [`keepalived content:${conf}`];
const loaded = (line: string) => `cat $(find /proc/$(cat /run/keepalived.pid)/fd -lname '/memfd:/keepalived/*') | grep -qx '${line}'`;
const wrong = `cp -p ${conf} /root/kept; sed -i 's/delay_loop 2/delay_loop 9/' ${conf}`;
const reload = 'systemctl reload keepalived; sleep 1';
const runs =
  'systemctl -q is-active keepalived && sleep 1 && grep -q 10.18.43.30/32 /proc/net/fib_trie 2>/dev/null; systemctl -q is-active keepalived';

export const director: readonly Damage[] = [
  {
    kind: 'a line of keepalived.conf changed',
    parts: ['keepalived conf'],

    on: 'director',
    harm: wrong,
    plan: content,
    whole: `grep -qx ' *delay_loop 2' ${conf}`,
  },
  {
    kind: 'keepalived.conf changed, and keepalived reloaded',
    parts: ['keepalived process', 'keepalived conf', ...table],

    on: 'director',
    harm: `${wrong}; ${reload}`,
    plan: content,
    whole: `${loaded('delay_loop 2')} && grep -qx ' *delay_loop 2' ${conf}`,
  },
  {
    kind: 'keepalived.conf put right with its old time, keepalived runs with the wrong one',
    parts: ['keepalived process', 'keepalived conf', ...table],

    on: 'director',
    harm: `${wrong}; ${reload}; mv /root/kept ${conf}`,
    plan: ['keepalived live:reload'],
    whole: loaded('delay_loop 2'),
  },
  {
    kind: 'keepalived.conf put right just now, keepalived runs with the wrong one',
    parts: ['keepalived process', 'keepalived conf', ...table],

    on: 'director',
    harm: `${wrong}; ${reload}; cat /root/kept >${conf}`,
    plan: ['keepalived live:reload'],
    whole: loaded('delay_loop 2'),
  },
  {
    kind: "keepalived's priority changed, and keepalived restarted",
    parts: ['keepalived process', 'keepalived conf', ...table],

    on: 'director',
    harm: `sed -i 's/priority .*/priority 77/' ${conf}; systemctl restart keepalived`,
    plan: content,
    whole: loaded('priority $priority').replace(/'priority \$priority'/, '"priority $priority"'),
  },
  {
    kind: 'keepalived.conf removed',
    parts: ['keepalived conf'],
    on: 'director',
    harm: `rm ${conf}`,
    plan: content,
    whole: `[ -s ${conf} ]`,
  },
  {
    kind: 'keepalived.conf readable by all',
    parts: ['keepalived conf'],

    on: 'director',
    harm: `chmod 644 ${conf}`,
    plan: [`keepalived attributes:${conf}`],
    whole: `[ "$(stat -c %a ${conf})" = 640 ]`,
  },
  {
    kind: 'keepalived.conf given to another user',
    parts: ['keepalived conf'],

    on: 'director',
    harm: `chown daemon ${conf}`,
    plan: [`keepalived attributes:${conf}`],
    whole: `[ "$(stat -c %U ${conf})" = root ]`,
  },
  {
    kind: 'keepalived stopped',
    parts: ['keepalived process', ...table],

    on: 'director',
    harm: 'systemctl stop keepalived',
    plan: ['service start:keepalived.service'],
    whole: runs,
  },
  {
    kind: 'keepalived killed, its rows still in the kernel',
    parts: ['keepalived process', ...table],

    on: 'director',
    harm: 'pkill -9 -x keepalived; sleep 1',
    plan: ['service start:keepalived.service'],
    whole: runs,
  },
  {
    kind: 'keepalived disabled',
    parts: ['keepalived link'],
    on: 'director',
    harm: 'systemctl -q disable keepalived',
    plan: ['service enable:keepalived.service'],
    whole: 'systemctl -q is-enabled keepalived',
  },
  {
    kind: 'keepalived removed',
    parts: ['keepalived process', 'keepalived link', 'package', ...table],

    on: 'director',
    harm: 'dpkg --remove keepalived >/dev/null 2>&1',
    plan: ['package install:keepalived', 'service enable:keepalived.service', 'service start:keepalived.service'],
    whole: runs,
  },
  {
    kind: 'ipvsadm removed',
    parts: ['package', ...table],

    on: 'director',
    harm: 'dpkg --remove ipvsadm >/dev/null',
    plan: ['package install:ipvsadm'],
    whole: 'ipvsadm -Ln >/dev/null',
  },
  {
    kind: 'module of the scheduler unloaded, keepalived stopped for it',
    parts: ['keepalived process', 'kernel_module', ...table],

    on: 'director',
    harm: 'systemctl stop keepalived; rmmod ip_vs_wrr',
    plan: ['kernel_module load:ip_vs_wrr', 'service start:keepalived.service'],
    whole: '[ -d /sys/module/ip_vs_wrr ] && systemctl -q is-active keepalived',
  },
  {
    kind: 'ip_vs not loaded at boot',
    on: 'director',
    harm: 'rm /etc/modules-load.d/lvsctl-ip_vs.conf',
    plan: ['kernel_module content:/etc/modules-load.d/lvsctl-ip_vs.conf'],
    whole: 'grep -qx ip_vs /etc/modules-load.d/lvsctl-ip_vs.conf',
  },
  {
    kind: "rp_filter of the VIP's card wrong live",
    on: 'director',
    harm: 'sysctl -qw net.ipv4.conf.eth1.rp_filter=1',
    plan: ['sysctl live:net.ipv4.conf.eth1.rp_filter'],
    whole: '[ "$(cat /proc/sys/net/ipv4/conf/eth1/rp_filter)" = 2 ]',
  },
  {
    kind: 'keepalived masked',

    on: 'director',
    harm: 'systemctl -q mask keepalived',
    plan: [],
    whole: 'systemctl -q is-enabled keepalived',
    refused: { words: 'keepalived.service is masked', undo: 'systemctl -q unmask keepalived' },
  },
];
