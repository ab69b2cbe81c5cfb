/** A booted Debian to which tasks are applied as the runner does, its cable, and what has to be seen afterwards. */
import { expect } from 'vitest';
import type { Change } from '../../src/model.ts';
import { renderSh } from '../../src/sh/sh.ts';
import type { AnyTask } from '../../src/task.ts';
import { planContext } from '../support/plan-context.ts';
import { type BootedHost, bootHost } from './booted-host.ts';
import { debianRoot } from './debian-root.ts';
import { inner, outer, toVip6 } from './needed-packets.ts';
import { runAt, type TwoHosts, twoHosts } from './two-hosts.ts';

const packages = ['systemd', 'systemd-sysv', 'dbus', 'firewalld', 'ufw', 'nftables', 'iptables', 'iproute2', 'procps'];

export interface ManagedHost {
  readonly host: BootedHost;
  two(): TwoHosts;
  run(script: string): string;
  plan(task: AnyTask, params: object): readonly Change[];
  /** Runs what is planned, each change twice: all are safe to repeat. Nothing is planned afterwards. */
  settle(task: AnyTask, params: object): readonly string[];
  reboot(): Promise<void>;
  close(): Promise<void>;
}

const without = (tool: string | undefined) => (tool === undefined ? '' : `command() { [ "$2" != ${tool} ] && type "$2"; }\n`);

/** `missing`: a tool that probes do not find. `before`: shell that readies its files. */
export async function managedHost(before: string, missing?: string): Promise<ManagedHost> {
  const host = await bootHost(debianRoot('bookworm', packages, 'roots/firewalls-bookworm'), before);
  const connect = (): TwoHosts => {
    const two = twoHosts(inner, outer, host);
    two.outside(toVip6);
    return two;
  };
  let two = connect();
  const run = (script: string) => runAt(host, script);
  const plan = (task: AnyTask, params: object): readonly Change[] => {
    const want = task.params.parse(params);
    const stdout = run(`${without(missing)}{ ${renderSh(task.probe(want), String)}\n} || :`);
    const nics = run('ls /sys/class/net').split('\n').filter(Boolean);
    const interfaces = Object.fromEntries(nics.map((nic) => [nic, { mac: '', addresses: [] }]));
    return task.plan(task.parse({ stdout, stderr: '', exit: 0 }, want), want, planContext({ facts: { interfaces } }));
  };
  return {
    host,
    two: () => two,
    run,
    plan,
    settle: (task, params) => {
      const changes = plan(task, params);
      for (const { run: change } of changes) run(renderSh(change, String));
      for (const { run: change, takesAway } of changes) if (!takesAway) run(renderSh(change, String));
      expect(plan(task, params)).toEqual([]);
      return changes.map(({ id }) => id);
    },
    reboot: async () => {
      two.close();
      await host.reboot();
      two = connect();
    },
    close: async () => {
      two.close();
      await host.close();
    },
  };
}
