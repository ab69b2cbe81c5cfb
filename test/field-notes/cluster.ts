/** A lab that is up, as a proof sees it: root shells on its machines, and the plugs of these. */
import { loadInventory } from '../../src/inventory/load.ts';
import { labOf, power, rehearse } from '../../src/lab/lab.ts';
import type { Fleet, Host } from '../../src/model.ts';
import { runScript } from '../../src/transport/run-script.ts';
import { sshTransport } from '../../src/transport/ssh/ssh.ts';
import type { Connection } from '../../src/transport/transport.ts';

export interface Answer {
  /** Null when the line broke. */
  readonly exit: number | null;
  readonly said: string;
}

export interface Cluster {
  readonly fleet: Fleet;
  /** Runs shell as root on a host. */
  shell(host: string, script: string): Promise<Answer>;
  power(host: string, state: 'on' | 'off'): Promise<void>;
  close(): void;
}

/** Seconds that a script of a proof may take. */
const scriptTimeout = 120;

/** The cluster in the lab of this inventory, which must be up. A line that breaks is opened anew by the next script. */
export async function openCluster(inventory: string): Promise<Cluster> {
  const { fleet } = loadInventory(inventory);
  const lab = await labOf(fleet);
  const transport = sshTransport({ knownHosts: [lab.knownHostsFile], dial: lab.dial, configFile: '' });
  const hosts = rehearse(fleet, lab).hosts;
  const lines = new Map<string, Promise<Connection>>();
  const lineTo = (host: Host): Promise<Connection> => {
    const line = lines.get(host.name) ?? transport.connect(host);
    lines.set(host.name, line);
    return line;
  };
  const drop = (name: string): void => {
    void lines.get(name)?.then(
      (line) => line.close(),
      () => {},
    );
    lines.delete(name);
  };
  const shell: Cluster['shell'] = async (name, script) => {
    const host = hosts.find((each) => each.name === name);
    if (!host) throw new Error(`there is no ${name}; there are ${hosts.map((each) => each.name).join(', ')}`);
    try {
      const { exit, stdout, stderr, timedOut } = await runScript(await lineTo(host), `${script}\n`, { timeout: scriptTimeout });
      if (exit === null) drop(name);
      return { exit, said: `${stdout}${stderr}${timedOut ? `\nstill running after ${scriptTimeout} s` : ''}`.trim() };
    } catch (error) {
      drop(name);
      throw error;
    }
  };
  return {
    fleet,
    shell,
    power: async (host, state) => {
      drop(host);
      await power(lab, host, state);
    },
    close: () => {
      for (const { name } of hosts) drop(name);
    },
  };
}
