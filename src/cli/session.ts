/** From files and flags to a flow that can run: what every verb that talks to hosts has in common. */
import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import { openStore } from '../apply/artefacts/store.ts';
import { EXIT, LvsError } from '../errors.ts';
import type { Flow } from '../flow.ts';
import { loadInventory } from '../inventory/load.ts';
import { rejectSecretValues } from '../inventory/secret-values.ts';
import { type Lab, labOf, rehearse } from '../lab/lab.ts';
import type { Fleet, Playbook, SshSettings } from '../model.ts';
import { type BindOptions, bindPlaybook } from '../playbook/bind.ts';
import { readExtraVars } from '../playbook/extra-vars.ts';
import { loadPlaybook } from '../playbook/load.ts';
import { loadRegistry, type Registry } from '../playbook/registry.ts';
import { gatherSecrets } from '../secrets/gather.ts';
import type { SecretsFile } from '../secrets/open.ts';
import { Secrets, secretsIn } from '../sh/secret.ts';
import { quote } from '../sh/sh.ts';
import { sshTransport } from '../transport/ssh/ssh.ts';
import type { Transport } from '../transport/transport.ts';
import { askSecret } from './ask-secret.ts';
import type { CommonFlags } from './flags.ts';
import { createInterlude, type Interlude } from './interlude.ts';
import { withFailed } from './last-run.ts';

export interface Session extends Omit<Flow, 'command' | 'emit' | 'confirm'> {
  readonly interlude: Interlude;
}

/** The playbook that comes with lvsctl under this name. */
export function ownPlaybook(name: string): string {
  return fileURLToPath(new URL(`../../playbooks/${name}.yaml`, import.meta.url));
}

/** Paths of the playbooks that a verb runs. */
export interface Books {
  readonly plays?: string;
  readonly checks?: string;
  /** What hosts have kept of other runs will be shown. */
  readonly puttingBack?: boolean;
}

/** Files and flags that were read. */
interface Read {
  readonly fleet: Fleet;
  readonly registry: Registry;
  readonly plays: Playbook | undefined;
  readonly checks: Playbook | undefined;
  readonly extraVars: Readonly<Record<string, unknown>>;
  readonly secretNames: readonly string[];
  readonly secrets: SecretsFile | undefined;
}

/** Throws LvsError (exit 4). */
export async function readAll(file: string, flags: CommonFlags, books: Books): Promise<Read> {
  const { fleet: declared, secretNames, secrets } = loadInventory(file);
  const fleet = withFailed({ fleet: declared, lab: flags.lab ?? false }, flags.limit);
  const registry = await loadRegistry([books.plays, books.checks].filter((path) => path !== undefined));
  const extra = readExtraVars(flags.extraVars ?? []);
  const [plays, checks] = [books.plays, books.checks].map((path) => (path === undefined ? undefined : loadPlaybook(path)));
  const named = [...secretNames, ...extra.secretNames, ...(plays?.secretNames ?? []), ...(checks?.secretNames ?? [])];
  return { fleet, registry, plays, checks, extraVars: extra.values, secretNames: [...new Set(named)], secrets };
}

/** The playbooks bound to the inventory's hosts. Throws LvsError (exit 4). */
export function bindAll({ fleet, registry, plays, checks, extraVars }: Read, flags: CommonFlags): Pick<Session, 'bind' | 'checks'> {
  const common = { limit: flags.limit, extraVars };
  const startAt = flags.startAt === undefined ? {} : { startAt: flags.startAt };
  const choices = { ...common, ...startAt, tags: flags.tags ?? [], skipTags: flags.skipTags ?? [] };
  const bind = (book: Playbook | undefined, options: BindOptions) => (book ? bindPlaybook(book, fleet, registry, options) : []);
  const first = bind(plays, choices);
  return { bind: (known) => (known ? bind(plays, { ...choices, known }) : first), checks: bind(checks, common) };
}

/** Reads everything and complains about anything before the first host is touched. */
export async function openSession(file: string, flags: CommonFlags, books: Books): Promise<Session> {
  const read = await readAll(file, flags, books);
  const lab = flags.lab ? await labOf(read.fleet) : undefined;
  const fleet = withReader(withTimeout(lab ? rehearse(read.fleet, lab) : read.fleet, flags.timeout), flags.reader);
  const bound = bindAll({ ...read, fleet }, flags);
  const passwords = {
    login: flags.askPass ? await askSecret('login password') : process.env.LVSCTL_LOGIN_PASSWORD,
    sudo: flags.askBecomePass ? await askSecret('sudo password') : process.env.LVSCTL_SUDO_PASSWORD,
  };
  const interlude = createInterlude();
  const secrets = new Secrets(await valuesFor(read, neededSecrets(bound, read.secretNames), books.puttingBack));
  rejectSecretValues(fleet, (text) => secrets.resolve(text));
  return {
    runId: newRunId(),
    who: `${userInfo().username}@${hostname()}`,
    fleet,
    registry: read.registry,
    ...bound,
    interlude,
    transport: transportOf(flags, lab, passwords, interlude),
    store: openStore(),
    forks: flags.forks,
    serial: flags.serial,
    maxFail: flags.maxFail,
    takeOver: flags.takeOver,
    resolve: (text) => secrets.resolve(text),
    conceal: (text) => secrets.conceal(text),
    resume: ['lvsctl', ...withoutValues(process.argv.slice(2), flags.extraVars ?? []).map(quote)].join(' '),
  };
}

function valuesFor(
  { fleet, secretNames, secrets }: Read,
  needed: ReadonlySet<string>,
  keepsOut: boolean | undefined,
): Promise<ReadonlyMap<string, string>> {
  const ask = process.stdin.isTTY ? askSecret : undefined;
  return gatherSecrets({ named: secretNames, needed, keepsOut, inventory: fleet.file, ask, ...(secrets && { from: secrets }) });
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

/**
 * Secrets that the run will send or compare, whatever else is named. Behind a barrier nobody knows yet what is used, so that everything
 * named may be.
 */
export function neededSecrets({ bind, checks }: Pick<Session, 'bind' | 'checks'>, named: readonly string[]): ReadonlySet<string> {
  const plays = bind();
  const steps = plays.flatMap((play) => Object.values(play.steps).flat());
  if (steps.some(({ waits }) => waits !== undefined)) return new Set(named);
  const handlers = plays.flatMap((play) => Object.values(play.handlers ?? {}).flat());
  const looks = [...plays.flatMap(({ gate = [] }) => gate), ...checks.flatMap((play) => play.checks)];
  return secretsIn([...steps, ...looks].map(({ want }) => want).concat(handlers.map(({ handler }) => handler)));
}

function withTimeout(fleet: Fleet, flag: string | undefined): Fleet {
  if (flag === undefined) return fleet;
  const timeout = Number(flag);
  if (!(timeout > 0)) throw new LvsError(`--timeout ${flag} is not a number of seconds`, { code: 'cli.timeout', exitCode: EXIT.badInput });
  const limited = (ssh: SshSettings): SshSettings => ({ ...ssh, timeout, ...(ssh.said && { said: [...ssh.said, 'timeout'] }) });
  return { ...fleet, hosts: fleet.hosts.map((host) => ({ ...host, ssh: limited(host.ssh) })) };
}

/** Everywhere the same account, in the place of those that may change things. */
function withReader(fleet: Fleet, user: string | undefined): Fleet {
  if (user === undefined) return fleet;
  const reading = ({ sudo: _, ...ssh }: SshSettings): SshSettings => ({
    ...ssh,
    user: readerName(user),
    reader: true,
    ...(ssh.said && { said: [...ssh.said, 'user'] }),
  });
  return { ...fleet, hosts: fleet.hosts.map((host) => ({ ...host, ssh: reading(host.ssh) })) };
}

/** The name of an account that has a list of what it may read. Throws LvsError (exit 4). */
export function readerName(user: string): string {
  const [wrong, right] =
    user === 'root'
      ? ['root may do everything', 'an account of its own']
      : [`${JSON.stringify(user)} is no name of an account`, 'a name such as watch'];
  if (user === 'root' || !/^[a-z_][a-z0-9_-]{0,31}$/i.test(user))
    throw new LvsError(`${wrong}: say ${right}`, { code: 'cli.reader', exitCode: EXIT.badInput });
  return user;
}

/** What -e was given may be a secret, and the line stands in reports, logs and locks; a file of variables is named. `given`: what it was. */
export function withoutValues(words: readonly string[], given: readonly string[]): readonly string[] {
  const values = given.filter((value) => value !== '' && !value.startsWith('@'));
  return words.map((word) => {
    const value = values.find((each) => word === each || (word.startsWith('-') && word.endsWith(each)));
    return value === undefined ? word : `${word.slice(0, -value.length)}…`;
  });
}

/** Sorts by time and is unique enough for a folder name: `20260724-131502-9f3a`. */
function newRunId(): string {
  const time = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${time}-${randomBytes(2).toString('hex')}`;
}
