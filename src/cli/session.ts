/** From files and flags to a flow that can run: what every verb that talks to hosts has in common. */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { openStore } from '../apply/store.ts';
import { EXIT, LvsError } from '../errors.ts';
import type { Flow } from '../flow.ts';
import { loadInventory } from '../inventory/load.ts';
import type { Lab } from '../lab/lab.ts';
import type { Fleet, Playbook, SshSettings } from '../model.ts';
import { type BindOptions, bindPlaybook } from '../playbook/bind.ts';
import { readExtraVars } from '../playbook/extra-vars.ts';
import { loadPlaybook } from '../playbook/load.ts';
import { loadRegistry, type Registry } from '../playbook/registry.ts';
import { Secrets, secretVariable } from '../sh/secret.ts';
import { sshTransport } from '../transport/ssh.ts';
import type { Transport } from '../transport/transport.ts';
import { askSecret } from './ask-secret.ts';
import type { CommonFlags } from './flags.ts';
import { createInterlude, type Interlude } from './interlude.ts';

export interface Session extends Omit<Flow, 'command' | 'emit' | 'confirm'> {
  readonly interlude: Interlude;
}

/** The playbook that comes with lvsctl under this name. */
export function ownPlaybook(name: string): string {
  return fileURLToPath(new URL(`../../playbooks/${name}.yaml`, import.meta.url));
}

/** Reads everything and complains about anything before the first host is touched. */
export async function openSession(
  file: string,
  flags: CommonFlags,
  books: { readonly plays?: string; readonly checks?: string },
): Promise<Session> {
  const { fleet: declared, secretNames } = loadInventory(file);
  const { lab, fleet: reached } = flags.lab ? await rehearsal(declared) : { fleet: declared };
  const fleet = withTimeout(reached, flags.timeout);
  const passwords = {
    login: flags.askPass ? await askSecret('login password') : process.env.LVSCTL_LOGIN_PASSWORD,
    sudo: flags.askBecomePass ? await askSecret('sudo password') : process.env.LVSCTL_SUDO_PASSWORD,
  };
  const interlude = createInterlude();
  const extra = readExtraVars(flags.extraVars ?? []);
  const [plays, checks] = [books.plays, books.checks].map((path) => (path === undefined ? undefined : loadPlaybook(path)));
  const named = [...secretNames, ...extra.secretNames, ...(plays?.secretNames ?? []), ...(checks?.secretNames ?? [])];
  const secrets = new Secrets(secretsFromEnvironment(named));
  const common = { limit: flags.limit, extraVars: extra.values };
  const choices = {
    ...common,
    tags: flags.tags ?? [],
    skipTags: flags.skipTags ?? [],
    ...(flags.startAt !== undefined && { startAt: flags.startAt }),
  };
  const bind = (book: Playbook | undefined, registry: Registry, options: BindOptions) =>
    book ? bindPlaybook(book, fleet, registry, options) : [];
  const bound = await withWordsOf([plays, checks], (registry) => ({
    registry,
    plays: bind(plays, registry, choices),
    checks: bind(checks, registry, common),
  }));
  return {
    runId: newRunId(),
    fleet,
    registry: bound.registry,
    bind: (known) => (known ? bind(plays, bound.registry, { ...choices, known }) : bound.plays),
    checks: bound.checks,
    interlude,
    transport: transportOf(flags, lab, passwords, interlude),
    store: openStore(),
    forks: flags.forks,
    serial: flags.serial,
    maxFail: flags.maxFail,
    resolve: (text) => secrets.resolve(text),
  };
}

/** Only --lab needs the lab's code. */
async function rehearsal(declared: Fleet): Promise<{ readonly lab: Lab; readonly fleet: Fleet }> {
  const { labOf, rehearse } = await import('../lab/lab.ts');
  const lab = await labOf(declared);
  return { lab, fleet: rehearse(declared, lab) };
}

/** Loads the words that stand anywhere in the playbooks; a complaint is made with all of them, as it may name one that was meant. */
async function withWordsOf<Bound>(books: readonly (Playbook | undefined)[], bind: (registry: Registry) => Bound): Promise<Bound> {
  const said = JSON.stringify(books);
  try {
    return bind(await loadRegistry((word) => said.includes(JSON.stringify(word))));
  } catch (error) {
    if (!(error instanceof LvsError)) throw error;
    return bind(await loadRegistry());
  }
}

interface Passwords {
  readonly login: string | undefined;
  readonly sudo: string | undefined;
}

function transportOf(flags: CommonFlags, lab: Lab | undefined, { login, sudo }: Passwords, interlude: Interlude): Transport {
  if (lab) return sshTransport({ knownHosts: [lab.knownHostsFile], dial: lab.dial, acceptNew: false, configFile: '' });
  return sshTransport({
    ...(flags.acceptNew && { acceptNew: true }),
    ...(process.stdin.isTTY && { askPassphrase: (file) => interlude.take(() => askSecret(`passphrase of ${file}`)) }),
    ...(login !== undefined && { loginPassword: async () => login }),
    ...(sudo !== undefined && { sudoPassword: async () => sudo }),
  });
}

function secretsFromEnvironment(names: readonly string[]): ReadonlyMap<string, string> {
  const found = names.map((name) => [name, process.env[secretVariable(name)]] as const);
  return new Map(found.filter((pair): pair is readonly [string, string] => pair[1] !== undefined));
}

function withTimeout(fleet: Fleet, flag: string | undefined): Fleet {
  if (flag === undefined) return fleet;
  const timeout = Number(flag);
  if (!(timeout > 0)) throw new LvsError(`--timeout ${flag} is not a number of seconds`, { code: 'cli.timeout', exitCode: EXIT.badInput });
  const limited = (ssh: SshSettings): SshSettings => ({ ...ssh, timeout, ...(ssh.said && { said: [...ssh.said, 'timeout'] }) });
  return { ...fleet, hosts: fleet.hosts.map((host) => ({ ...host, ssh: limited(host.ssh) })) };
}

/** Sorts by time and is unique enough for a folder name: `20260724-131502-9f3a`. */
function newRunId(): string {
  const time = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${time}-${randomBytes(2).toString('hex')}`;
}
