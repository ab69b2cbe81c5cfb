/** The cluster that is damaged: a lab, the real `plan` and `deploy` on it, and a root shell on each machine for the one who damages. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSession } from '../../src/cli/session.ts';
import { type Answer, run } from '../../src/flow.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { labDown } from '../../src/lab/down.ts';
import { rehearse } from '../../src/lab/lab.ts';
import { tar } from '../../src/lab/tar.ts';
import { labUp } from '../../src/lab/up.ts';
import type { Report } from '../../src/model.ts';
import { runScript } from '../../src/transport/run-script.ts';
import { sshTransport } from '../../src/transport/ssh/ssh.ts';

const inventory = fileURLToPath(new URL('cluster.yaml', import.meta.url));
const playbook = fileURLToPath(new URL('playbook.yaml', import.meta.url));

export interface Cluster {
  /** What would change. */
  plan(): Promise<Report>;
  /** Makes the changes of a plan that is made first, and hands over that plan, too. */
  deploy(): Promise<{ readonly planned: Report | undefined; readonly report: Report }>;
  /** Runs shell as root; resolves to its exit code and what it printed. */
  shell(host: string, script: string): Promise<{ readonly exit: number | null; readonly said: string }>;
  close(keep: boolean): Promise<void>;
}

export async function openCluster(say: (line: string) => void): Promise<Cluster> {
  const { fleet } = loadInventory(inventory);
  const lab = await labUp(fleet, ({ host, doing }) => say(host ? `${host}: ${doing}` : doing));
  const archive = await serveArchive();
  const transport = sshTransport({ knownHosts: [lab.knownHostsFile], dial: lab.dial, configFile: '' });
  const machines = rehearse(fleet, lab).hosts;
  const connections = new Map(await Promise.all(machines.map(async (host) => [host.name, await transport.connect(host)] as const)));
  // Each row damages one host, so all are mended side by side.
  const flags = {
    limit: 'all',
    forks: 25,
    serial: { percent: 100 },
    lab: true,
    color: false,
    verbose: 0,
    extraVars: [JSON.stringify({ archive: archive.facts })],
  };
  const open = () => openSession(inventory, flags, { plays: playbook });
  return {
    plan: async () => run({ ...(await open()), command: 'plan', emit: () => {}, confirm: async () => false as const }),
    deploy: async () => {
      let planned: Report | undefined;
      const confirm = async (_: unknown, soFar: Report): Promise<Answer> => {
        planned = soFar;
        return { leaveOut: new Set() };
      };
      const report = await run({ ...(await open()), command: 'deploy', emit: () => {}, confirm });
      return { planned, report };
    },
    shell: async (host, script) => {
      const connection = connections.get(host);
      if (!connection) throw new Error(`there is no ${host}`);
      const { exit, stdout, stderr } = await runScript(connection, script, { timeout: 120 });
      return { exit, said: `${stdout}${stderr}`.trim() };
    },
    close: async (keep) => {
      for (const connection of connections.values()) connection.close();
      archive.close();
      if (!keep) await labDown(fleet);
    },
  };
}

/** An archive on the control machine, as a file and on its loopback. */
async function serveArchive() {
  const folder = mkdtempSync(join(tmpdir(), 'lvsctl-damage-'));
  const path = join(folder, 'site.tar');
  writeFileSync(
    path,
    tar([
      { path: 'unpacked', mode: 0o755 },
      { path: 'unpacked/page.html', mode: 0o644, content: 'a page\n' },
    ]),
  );
  const bytes = readFileSync(path);
  const server = createServer((_, response) => response.end(bytes));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    facts: { path, url: `http://127.0.0.1:${port}/site.tar`, sha256: createHash('sha256').update(bytes).digest('hex') },
    close: () => {
      server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
