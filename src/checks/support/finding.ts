/**
 * Findings and the sentences in them. `host` is the host that the finding is about, where a fix would be made; who looked stands in
 * the sentence and in `from`.
 */
import type { Finding, Fleet, Host, Role } from '../../model.ts';
import type { Look } from '../../task.ts';

export function pass(host: string, found: string, expected: string): Finding {
  return { status: 'pass', host, found, expected, fix: '' };
}

export function fail(host: string, found: string, expected: string, fix: string): Finding {
  return { status: 'fail', host, found, expected, fix };
}

/** What could not be looked at. `fix` says how it could be. */
export function notRun(host: string, found: string, expected: string, fix: string): Finding {
  return { status: 'not-run', host, found, expected, fix };
}

const groups: Readonly<Record<Role, string>> = { director: 'directors', backend: 'backends', client: 'clients' };

/** Nobody looked: there is no host of the role, none of them had anything to look at, or none answered. */
export function nobodyLooked(role: Role, fleet: Fleet, expected: string): Finding {
  const names = fleet.hosts.filter((host) => host.role === role).map(({ name }) => name);
  if (names.length > 0) return notRun(groups[role], `nothing was looked at on ${listed(names)}`, expected, '');
  const fix =
    role === 'client'
      ? "give the inventory a host on the VIP's segment to look from: clients: { probe: { address: … } }"
      : `list the ${groups[role]} in the inventory`;
  return notRun(groups[role], `there is no ${role} in the inventory`, expected, fix);
}

/** The probe ran, but what it printed is not whole or not what it prints: nothing may be concluded from it. */
export function unreadable(look: Look, expected: string): Finding {
  const said = excerpt(look.output.stderr.trim().split('\n').at(-1) ?? '', 160);
  const why = said === '' ? `its probe ended with exit code ${look.output.exit}` : said;
  return notRun(look.host.name, `could not look: ${why}`, expected, `see on ${look.host.name} why that is`);
}

/** A tool that the probe needs is not installed where it looked. */
export function toolMissing(host: Host, tool: string, debian: string, expected: string, redHat = debian): Finding {
  return notRun(
    host.name,
    `${tool} is not installed here`,
    expected,
    `apt-get install ${debian} (or dnf install ${redHat}) on ${host.name}`,
  );
}

/** A host's words as part of a sentence: one line, bounded. */
export function excerpt(text: string, length = 60): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** `1 request`, `2 requests`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
