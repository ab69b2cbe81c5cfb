/** The command line: verbs and flags, one catch, one exit code. Each verb's code is loaded only when it is asked for. */
import { Command, CommanderError, Option } from 'commander';
import { EXIT, type ExitCode, LvsError } from '../errors.ts';
import type { DeployFlags } from './commands/deploy.ts';
import type { FreezeFlags } from './commands/freeze.ts';
import type { HistoryFlags } from './commands/history.ts';
import type { InitFlags } from './commands/init.ts';
import type { RollbackFlags } from './commands/rollback.ts';
import type { EncryptFlags, LockFlags } from './commands/secrets.ts';
import type { StatusFlags } from './commands/status.ts';
import type { SudoersFlags } from './commands/sudoers.ts';
import type { TeardownFlags } from './commands/teardown.ts';
import { complain, complainInJson } from './complain.ts';
import type { CommonFlags } from './flags.ts';
import { changing, common, playing, reading, share, verbosity, wholeNumber, words } from './options.ts';

const program = new Command('lvsctl')
  .description('Provisions and runs LVS (IPVS) + keepalived + nginx clusters over SSH; nothing to install on the targets.')
  .version('0.1.0')
  .exitOverride()
  .configureHelp({ sortSubcommands: false })
  .showSuggestionAfterError()
  .addHelpText(
    'after',
    `
Exit codes: 0 done, 1 a task failed, 2 changes pending, 3 verification failed, 4 bad input, 5 a host is
unreachable, 6 another run has a host, 130 interrupted. Where several apply: 130, 4, 6, 5, 1, 3, 2.

Example:
  lvsctl lab up inventory/dr.yaml && lvsctl deploy inventory/dr.yaml --lab`,
  );

function verb(name: string, summary: string, example: string, of: Command = program): Command {
  return of.command(name).description(summary).addHelpText('after', `\nExample:\n  ${example}\n`);
}

const reader = '--reader <user>';
const readerMeans = 'log in as this user, who may look and do nothing else: see "lvsctl sudoers"';
const observe = '--observe <interval>';
const observeMeans = 'look again every 5m, say, and print what has become different, until it is interrupted';
const takeOver = '--take-over';
const takeOverMeans = 'replace what others have configured on these hosts; how it was is kept there';

verb('init', 'a commented inventory to begin with, with a VRID of its own', 'lvsctl init my-cluster')
  .argument('[dir]', 'folder that inventory.yaml is written into; made if need be', '.')
  .option('--json', 'one JSON document on stdout')
  .action(async (folder: string, flags: InitFlags) => (await import('./commands/init.ts')).init(folder, flags));

changing(verb('plan', 'what would change; exit 2 when something would', 'lvsctl plan inventory/dr.yaml --diff'))
  .option('--out <file>', 'keep the plan, for "lvsctl deploy --plan"')
  .option(reader, readerMeans)
  .option(observe, observeMeans)
  .option(takeOver, takeOverMeans)
  .action(async (file: string, flags: CommonFlags & { out?: string }) => (await import('./commands/plan.ts')).plan(file, flags));

changing(verb('deploy', 'plan, confirm, apply, look again, verify', 'lvsctl deploy inventory/dr.yaml --diff'))
  .option('-C, --check', 'stop at the plan: same as "plan"; with --plan, say whether that one still holds')
  .option('-y, --yes', 'do not ask')
  .option('--step', 'ask for each step whether it is to be done')
  .option(takeOver, takeOverMeans)
  .option('--plan <file>', 'do what "lvsctl plan --out" has kept, without asking; nothing is touched where the hosts want anything else')
  .action(async (file: string, flags: DeployFlags) => (await import('./commands/deploy.ts')).deploy(file, flags));

changing(
  verb('teardown', 'take away what deploy added and put back what was there before', 'lvsctl teardown inventory/dr.yaml --check --diff'),
)
  .option('-C, --check', 'stop at the plan: say what would be taken away')
  .option('-y, --yes', 'do not ask')
  .option('--step', 'ask for each step whether it is to be done')
  .option('--force', 'also put files back that somebody has changed since lvsctl wrote them')
  .action(async (file: string, flags: TeardownFlags) => (await import('./commands/teardown.ts')).teardown(file, flags));

common(verb('rollback', 'put files back as they were before the last run that changed any', 'lvsctl rollback inventory/dr.yaml --check'))
  .option('--to <run>', 'as they were right after this run (see "lvsctl history")')
  .option('--before <run>', 'as they were before this run')
  .option('-C, --check', 'stop at the plan: say what would be put back')
  .option('-y, --yes', 'do not ask')
  .option('--force', 'also files that somebody has changed since')
  .addOption(new Option('--serial <hosts>', 'hosts of a role in a batch, a number or 30%; 1 unless said').argParser(share(1)))
  .addOption(new Option('--max-fail <hosts>', 'hosts of a role that may fail before it stops').argParser(share(0)))
  .action(async (file: string, flags: RollbackFlags) => (await import('./commands/rollback.ts')).rollback(file, flags));

playing(verb('verify', 'all checks, from every vantage point; leaves nothing changed', 'lvsctl verify inventory/dr.yaml'))
  .option('-p, --playbook <file>', 'another list of checks than the one that comes with lvsctl')
  .option(reader, readerMeans)
  .option(observe, observeMeans)
  .action(async (file: string, flags: CommonFlags) => (await import('./commands/verify.ts')).verify(file, flags));

reading(
  verb(
    'sudoers',
    'the rule of sudo for somebody who may look (plan, verify, status), and do nothing else',
    'lvsctl sudoers inventory/dr.yaml --user watch',
  ),
)
  .requiredOption('--user <name>', 'the account')
  .option('-p, --playbook <file>', 'for this playbook, in the place of those that come with lvsctl')
  .option('--show', 'print what may be read, in the place of its SHA-256')
  .action(async (file: string, flags: SudoersFlags) => (await import('./commands/sudoers.ts')).sudoers(file, flags));

common(
  verb('status', 'who has the VIPs; what each real server is given: weight, connections, rates', 'lvsctl status inventory/dr.yaml --watch'),
)
  .option('-w, --watch [interval]', 'look again every 2s, or 10s, 1m …, until it is interrupted')
  .option(reader, readerMeans)
  .action(async (file: string, flags: StatusFlags) => (await import('./commands/status.ts')).status(file, flags));

const lock = verb('lock', 'who is at work on the hosts', 'lvsctl lock status inventory/dr.yaml');
common(verb('status', 'who is at work on which host; exit 6 when somebody is', 'lvsctl lock status inventory/dr.yaml', lock)).action(
  async (file: string, flags: CommonFlags) => (await import('./commands/lock.ts')).status(file, flags),
);
common(verb('release', 'let go of locks whose run is gone', 'lvsctl lock release inventory/dr.yaml --limit web1', lock))
  .option('--force', 'also where the run still shows signs of life: it may be in the middle of a change')
  .action(async (file: string, flags: CommonFlags & { force?: boolean }) => (await import('./commands/lock.ts')).release(file, flags));

common(verb('history', 'who has changed what on the hosts, and when; -v: each change', 'lvsctl history inventory/dr.yaml --last 5'))
  .addOption(new Option('--last <runs>', 'so many runs').argParser(wholeNumber).default(20))
  .action(async (file: string, flags: HistoryFlags) => (await import('./commands/history.ts')).history(file, flags));

common(verb('freeze', 'nothing changes these hosts until then', 'lvsctl freeze inventory/dr.yaml --until 8h --why "the sale"'))
  .option('--until <time>', '90m, 8h, 3d, or a time such as "2026-12-01 08:00"')
  .option('--why <text>', 'said to whoever tries')
  .option('--lift', 'they may be changed again')
  .action(async (file: string, flags: FreezeFlags) => (await import('./commands/freeze.ts')).freeze(file, flags));

const secrets = verb(
  'secrets',
  'values for !secret NAME, encrypted beside the inventory (docs/secrets.md)',
  'lvsctl secrets list inventory/dr.yaml',
);
const locked = (command: Command): Command =>
  command
    .addOption(new Option('-r, --recipient <key>', 'a public key (age1…) that may open it; may be given again').argParser(words))
    .option('--passphrase', 'a passphrase opens it, in the place of keys');
verb('edit', 'change the file in your editor; it stays encrypted for whom it was', 'lvsctl secrets edit web.yaml', secrets)
  .argument('<inventory>', 'the inventory file')
  .action(async (file: string) => (await import('./commands/secrets.ts')).edit(file));
locked(verb('encrypt', 'make an encrypted file of a YAML file NAME: VALUE', 'lvsctl secrets encrypt secrets.yaml -r age1…', secrets))
  .argument('<file>', 'the file in clear; "-": standard input')
  .option('-o, --output <file>', 'unless said, the same name with the ending .age')
  .action(async (file: string, flags: EncryptFlags) => (await import('./commands/secrets.ts')).encrypt(file, flags));
locked(verb('rekey', 'encrypt the file for exactly these', 'lvsctl secrets rekey web.yaml -r age1… -r age1…', secrets))
  .argument('<inventory>', 'the inventory file')
  .action(async (file: string, flags: LockFlags) => (await import('./commands/secrets.ts')).rekey(file, flags));
reading(
  verb(
    'list',
    'which secrets are wanted, and where their values would come from; exit 4 when one would be missing',
    'lvsctl secrets list inventory/dr.yaml',
    secrets,
  ),
)
  .option('-p, --playbook <file>', 'another playbook than the one that comes with lvsctl')
  .action(async (file: string, flags: CommonFlags) => (await import('./commands/secrets-list.ts')).list(file, flags));
verb('keygen', 'make a key of your own; its public part is printed', 'lvsctl secrets keygen', secrets)
  .option('-o, --output <file>', 'unless said, ~/.config/lvsctl/age.key; one that is there is left')
  .action(async (flags: { output?: string }) => (await import('./commands/secrets.ts')).keygen(flags));

const lab = verb('lab', 'a rehearsal of an inventory on real kernels, on this machine', 'lvsctl lab up inventory/dr.yaml');
const labVerb = (name: string, summary: string, more = ''): Command =>
  verb(name, summary, `lvsctl lab ${name} inventory/dr.yaml${more}`, lab).argument('<inventory>', 'the inventory file');
labVerb('up', 'boot one machine per host').action(async (file: string) => (await import('./commands/lab.ts')).up(file));
labVerb('down', 'stop them and leave nothing behind').action(async (file: string) => (await import('./commands/lab.ts')).down(file));
labVerb('status', 'which machines run and answer')
  .option('--json', 'one JSON document on stdout')
  .action(async (file: string, flags: { json?: boolean }) => (await import('./commands/lab.ts')).status(file, flags));
labVerb('ssh', 'a terminal on one machine', ' dr1')
  .argument('<host>')
  .action(async (file: string, host: string) => (await import('./commands/lab.ts')).ssh(file, host));
labVerb('exec', 'run a command on the machines that a pattern names', ' directors -- "ipvsadm -Ln"')
  .argument('<pattern>', 'host, group or pattern')
  .argument('<command...>', 'after "--": a shell command line')
  .action(async (file: string, pattern: string, words: readonly string[]) =>
    (await import('./commands/lab.ts')).exec(file, pattern, words),
  );
labVerb('power', "pull a machine's plug, or boot it again", ' web1 off')
  .argument('<host>')
  .argument('<state>', 'on or off')
  .action(async (file: string, host: string, state: string) => (await import('./commands/lab.ts')).power(file, host, state));

verb('tasks', 'the words of a playbook, or the reference of one', 'lvsctl tasks sysctl')
  .argument('[name]')
  .option('-p, --playbook <file>', 'also the words of your own, in tasks/ beside this playbook')
  .action(async (name: string | undefined, flags: { playbook?: string }) => (await import('./commands/reference.ts')).tasks(name, flags));
verb('checks', 'the words of a verify list, or the reference of one', 'lvsctl checks vip_arp')
  .argument('[name]')
  .option('-p, --playbook <file>', 'also the words of your own, in checks/ beside this playbook')
  .action(async (name: string | undefined, flags: { playbook?: string }) => (await import('./commands/reference.ts')).checks(name, flags));
verb('schema', 'JSON Schema of the inventory, for editors', 'lvsctl schema > lvsctl.schema.json').action(async () =>
  (await import('./commands/reference.ts')).schema(),
);

// Whoever reads may have seen enough (`| head`), or their terminal is closed: what is being done is finished all the same, what it says is lost.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
}

/** The verb that was asked for, as it is typed: `lock status`. */
function verbTyped(): string {
  const names: string[] = [];
  let at: Command | undefined = program;
  for (const word of process.argv.slice(2)) {
    at = at.commands.find((each) => each.name() === word);
    if (!at) break;
    names.push(word);
  }
  return names.join(' ');
}

/** Prints what was thrown, once for people and, with --json, once for scripts; the exit code that stands for it. */
function told(error: unknown): ExitCode {
  const wrongWords = error instanceof CommanderError;
  if (wrongWords && error.exitCode === 0) return EXIT.done;
  // What is wrong with the words of a command line is said already.
  const exitCode = wrongWords ? EXIT.badInput : complain(error, verbosity() > 2);
  if (process.argv.includes('--json')) complainInJson(wrongWords ? asOurs(error) : error, verbTyped(), exitCode);
  return exitCode;
}

function asOurs({ message, code }: CommanderError): LvsError {
  return new LvsError(message.replace(/^error: /, ''), { code: `cli.${code.replace('commander.', '')}`, exitCode: EXIT.badInput });
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = told(error);
}
