/** Connections are known to the director that takes over: the sync daemons have their roles, and what the master sends arrives. */
import { z } from 'zod';
import type { Fleet, VrrpInstance } from '../model.ts';
import { defineCheck, type Finding, type Look } from '../task.ts';
import { addressesOf, addressProbe } from './support/addresses.ts';
import { count, fail, nobodyLooked, notRun, pass, toolMissing, unreadable } from './support/finding.ts';
import { heard, telling } from './support/said.ts';
import { countConnections, daemonProbe, type SyncSeen, syncSeen } from './support/sync-daemons.ts';

/** Fewer connections on the master prove nothing by being unknown to the backup. */
const enough = 20;
/** What is being closed on the master has been so for at most 120 s: a daemon that is older must have heard of it. */
const closingTime = 150;

const expected = "each director's sync daemon has the role of its VRRP instance, and connections arrive at the backup";

export default defineCheck({
  summary: "With sync, each director's sync daemon is master where the VIP is and backup elsewhere, and connections arrive there.",
  params: z.strictObject({}),
  from: ['director'],
  probe: (_, __, fleet) =>
    syncedBy(fleet) ? telling(addressProbe, daemonProbe, countConnections('/proc/net/ip_vs_conn_sync')) : undefined,
  expect: (looks, _, { fleet }) => {
    const instance = syncedBy(fleet);
    if (!instance) return [];
    if (looks.length === 0) return [nobodyLooked('director', fleet, expected)];
    const answers = looks.flatMap((look) => answerOf(look, instance) ?? []);
    const silent = looks.filter((look) => !answerOf(look, instance)).map(obstacle);
    return [...silent, ...answers.map((answer) => judgeRole(answer, instance)), ...judgeArrival(answers)];
  },
  example: {},
});

/** keepalived has one sync daemon: it follows the first instance. */
function syncedBy({ sync, vrrp }: Pick<Fleet, 'sync' | 'vrrp'>): VrrpInstance | undefined {
  return sync ? vrrp?.instances[0] : undefined;
}

interface Answer {
  readonly host: string;
  readonly role: 'master' | 'backup';
  readonly seen: SyncSeen;
}

function answerOf(look: Look, instance: VrrpInstance): Answer | undefined {
  const said = heard(look);
  const addresses = said ? addressesOf(said) : [];
  const seen = said && syncSeen(said);
  if (!seen || addresses.length === 0) return undefined;
  const holds = addresses.some(({ address, nic }) => nic !== 'lo' && instance.addresses.some((each) => each.address === address));
  return { host: look.host.name, role: holds ? 'master' : 'backup', seen };
}

function obstacle(look: Look): Finding {
  const said = heard(look);
  if (said?.first('missing') === 'ipvsadm') return toolMissing(look.host, 'ipvsadm', 'ipvsadm', expected);
  if (said?.first('daemons') === undefined) return unreadable(look, expected);
  return notRun(look.host.name, 'ipvsadm -L --daemon says nothing here', expected, `modprobe ip_vs on ${look.host.name}; lvsctl deploy`);
}

function judgeRole({ host, role, seen }: Answer, { instance, id, interface: nic }: VrrpInstance): Finding {
  const wanted = `the sync daemon of ${host} is ${role} with syncid ${id} on ${nic}, as ${instance} is`;
  const own = seen.daemons.find((daemon) => daemon.role === role);
  const fix = `systemctl restart keepalived on ${host}; if that changes nothing: journalctl -u keepalived -n 50`;
  if (!own) {
    const others = seen.daemons.map((daemon) => daemon.role).join(' and ');
    return fail(
      host,
      others === '' ? `no sync daemon runs on ${host}` : `the sync daemon of ${host} is ${others}, not ${role}`,
      wanted,
      fix,
    );
  }
  const found = `the sync daemon of ${host} is ${role} with syncid ${own.syncId} on ${own.interface}`;
  return own.syncId === id && own.interface === nic ? pass(host, found, wanted) : fail(host, found, wanted, `lvsctl deploy; then ${fix}`);
}

function judgeArrival(answers: readonly Answer[]): readonly Finding[] {
  const sending = ({ role, seen }: Answer): boolean => seen.daemons.some((daemon) => daemon.role === role);
  const [master] = answers.filter((answer) => answer.role === 'master' && sending(answer));
  const backups = answers.filter((answer) => answer.role === 'backup' && sending(answer));
  return master ? backups.map((backup) => judgeBackup(master, backup)) : [];
}

function judgeBackup(master: Answer, { host, seen }: Answer): Finding {
  const wanted = `connections of ${master.host} are known to ${host}`;
  const { closing } = master.seen.connections ?? {};
  const { synced } = seen.connections ?? {};
  if (closing === undefined || synced === undefined)
    return notRun(host, 'the kernel does not list where its connections come from', wanted, 'a kernel with /proc/net/ip_vs_conn_sync');
  if (synced > 0) return pass(host, `${host} knows ${count(synced, 'connection')} by sync`, wanted);
  const found = `${host} knows no connection by sync, ${master.host} is closing ${closing} of its own`;
  if (closing < enough) return notRun(host, found, wanted, `verify again while there are clients: ${enough} tell`);
  if (seen.age === undefined || seen.age < closingTime) {
    const since = seen.age === undefined ? 'for a time that is not told' : `for ${seen.age} s`;
    return notRun(host, `${found}; its sync daemon has run ${since}`, wanted, `verify again in ${closingTime} s`);
  }
  const nic = seen.daemons.find(({ role }) => role === 'backup')?.interface ?? '';
  return fail(host, found, wanted, arrivalFix(nic, host));
}

/** The daemon has no peers to name, whatever the adverts have. */
function arrivalFix(nic: string, host: string): string {
  const look = `see whether it arrives: tcpdump -c 3 -nni ${nic} udp port 8848 on ${host}`;
  const open = 'let 224.0.0.81 through switch and firewall (8848/udp)';
  return `${look}; ${open}, or take sync out of the inventory where the network carries no multicast`;
}
