/** Hosts that are not to be changed for a while: said on the hosts themselves, so that it holds for every control machine. */
import { EXIT, LvsError } from '../../errors.ts';
import type { Frozen, Seen } from '../../model.ts';
import { freezeFile } from '../../probe/traces.ts';
import { preamble } from '../../sh/frame.ts';
import { quote } from '../../sh/sh.ts';

type Seens = Readonly<Record<string, Seen>>;

/** Shell that freezes the host; it replaces what was said before. */
export function freezeScript({ until, who, why }: Frozen): string {
  const said = [String(until), who, why].map((text) => quote(text.replace(/\s+/g, ' ')));
  return `{
${preamble}
mkdir -p /var/lib/lvsctl && printf '%s\\n' ${said.join(' ')} >${freezeFile}.new && mv -f ${freezeFile}.new ${freezeFile} || exit 1
exit 0
}
`;
}

/** Shell that lets it be changed again. */
export const thawScript = `{
${preamble}
rm -f ${freezeFile} || exit 1
rmdir /var/lib/lvsctl 2>/dev/null
exit 0
}
`;

/** A sentence for each host that is frozen at `now` (seconds since 1970). */
export function frozenNotes(seen: Seens, now: number): readonly string[] {
  return frozenIn(seen, now).map(({ host, frozen }) => `${host} is ${sentence(frozen)}: deploy would refuse to change it`);
}

/** Throws LvsError `frozen` (exit 6), a line for each of the hosts that is frozen at `now`; nothing has been touched. */
export function refuseFrozen(hosts: readonly string[], seen: Seens, now: number): void {
  const [first, ...others] = frozenIn(seen, now).filter(({ host }) => hosts.includes(host));
  if (!first) return;
  throw frozenError(
    first.host,
    first.frozen,
    others.map(({ host, frozen }) => frozenError(host, frozen)),
  );
}

export function frozenError(host: string, frozen: Frozen, others: readonly LvsError[] = []): LvsError {
  return new LvsError(sentence(frozen), {
    ...{ code: 'frozen', exitCode: EXIT.locked, where: { host }, others },
    hint: 'wait, leave it out with --limit, or ask them; "lvsctl freeze INVENTORY --lift" ends it',
  });
}

/** `frozen until 2026-12-01T08:00:00Z by root@control: Black Friday`. */
export function sentence({ until, who, why }: Frozen): string {
  return `frozen until ${new Date(until * 1000).toISOString().replace('.000', '')} by ${who}${why === '' ? '' : `: ${why}`}`;
}

function frozenIn(seen: Seens, now: number): readonly { readonly host: string; readonly frozen: Frozen }[] {
  return Object.values(seen).flatMap((one) => {
    const frozen = one.reached ? one.traces?.frozen : undefined;
    return frozen && frozen.until > now ? [{ host: one.host, frozen }] : [];
  });
}
