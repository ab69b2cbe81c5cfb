/** What must change in the kernel's table of a director without keepalived, row by row: connections of what stays go on. */
import { type Change, type Sh, sh } from '../../../task.ts';
import { nameOf, type RuleRow, type RuleService, samePlace } from './rules.ts';
import { type CheckView, checksSayOtherwise, type IpvsView } from './view.ts';

export interface RulesWant {
  readonly rules: readonly RuleService[];
  /** Rules of an earlier run: what they name is ours. */
  readonly earlier: readonly RuleService[];
  /** `PLACE SERVER` → options of the sorry servers. */
  readonly sorry: ReadonlyMap<string, readonly string[]>;
}

/** Additions first, then removals; what nobody of us put there stays. */
export function ruleChanges({ rules, earlier, sorry }: RulesWant, { table, checks }: IpvsView): readonly Change[] {
  const added = rules.flatMap((wanted) => {
    const there = table.find(({ place }) => samePlace(place, wanted.place));
    const rows = rowsNow(wanted, checks, sorry);
    return [...serviceChange(wanted, there), ...rows.flatMap((row) => rowChange(wanted, row, there, checks))];
  });
  const removed = rules.flatMap((wanted) => {
    const there = table.find(({ place }) => samePlace(place, wanted.place));
    const rows = rowsNow(wanted, checks, sorry);
    return (there?.rows ?? [])
      .filter(({ server }) => !rows.some((row) => row.server === server))
      .map((row) => removal(wanted, row, checks));
  });
  return [...added, ...removed, ...stale(rules, earlier, table)];
}

/** Names of virtual servers that are none of ours. */
export function strangers({ rules, earlier }: RulesWant, { table }: IpvsView): readonly string[] {
  const ours = [...rules, ...earlier];
  return table.filter(({ place }) => !ours.some((each) => samePlace(each.place, place))).map(({ place }) => nameOf(place));
}

export function rowName(place: readonly string[], server: string): string {
  return `${place.join(' ')} ${server}`;
}

/** The rows as they are right now: without those that a health check took out, with the sorry server where it stands in. */
function rowsNow({ place, rows }: RuleService, checks: CheckView | undefined, sorry: RulesWant['sorry']): readonly RuleRow[] {
  const here = rows.filter(({ server }) => !checks?.out.includes(rowName(place, server)));
  const stands = [...sorry].filter(([name]) => name.startsWith(`${place.join(' ')} `) && checks?.sorry.includes(name));
  return [...here, ...stands.map(([name, options]) => ({ server: name.slice(place.join(' ').length + 1), options }))];
}

function serviceChange({ place, options }: RuleService, there: RuleService | undefined): readonly Change[] {
  if (there?.options.join(' ') === options.join(' ')) return [];
  const words = [...place, ...options];
  return [
    {
      id: `service:${nameOf(place)}`,
      title: `${there ? 'set' : 'add'} the virtual server ${nameOf(place)}: ${shown(options)}`,
      was: there ? `${nameOf(place)} ${there.options.join(' ')}\n` : '',
      will: `${nameOf(place)} ${options.join(' ')}\n`,
      run: either(sh`ipvsadm -A ${words}`, sh`ipvsadm -E ${words}`),
    },
  ];
}

function rowChange({ place }: RuleService, row: RuleRow, there: RuleService | undefined, checks: CheckView | undefined): readonly Change[] {
  const old = there?.rows.find(({ server }) => server === row.server);
  if (old?.options.join(' ') === row.options.join(' ')) return [];
  const words = [...place, '-r', row.server, ...row.options];
  const name = rowName(place, row.server);
  return [
    {
      id: `${old ? 'edit' : 'add'}:${nameOf(place)}>${row.server}`,
      title: old
        ? `set the real server ${row.server} of ${nameOf(place)}: ${shown(row.options)}`
        : `add the real server ${row.server} to ${nameOf(place)}: ${shown(row.options)}`,
      was: old ? `${row.server} ${old.options.join(' ')}\n` : '',
      will: `${row.server} ${row.options.join(' ')}\n`,
      run: either(sh`ipvsadm -a ${words}`, sh`ipvsadm -e ${words}`),
      ...(checks && { unless: checksSayOtherwise(name, checks.sorry.includes(name) ? 'sorry in' : 'real in') }),
    },
  ];
}

function removal({ place, rows }: RuleService, row: RuleRow, checks: CheckView | undefined): Change {
  const name = rowName(place, row.server);
  const fails = checks?.out.includes(name) && rows.some(({ server }) => server === row.server);
  const why = fails ? 'its health check took it out' : 'it is not wanted';
  return {
    id: `remove:${nameOf(place)}>${row.server}`,
    title: `take the real server ${row.server} out of ${nameOf(place)}: ${why}`,
    was: `${row.server} ${row.options.join(' ')}\n`,
    will: '',
    // Gone meanwhile is as good.
    run: sh`ipvsadm -d ${[...place, '-r', row.server]} || ! ipvsadm -S -n | grep -qF -- ${`-a ${place.join(' ')} -r ${row.server} `}`,
    ...(checks && { unless: checksSayOtherwise(name, fails ? 'real out' : 'sorry out') }),
    ...(!fails && { takesAway: true }),
  };
}

/** Virtual servers that an earlier run put there and that are wanted no more. */
function stale(rules: readonly RuleService[], earlier: readonly RuleService[], table: readonly RuleService[]): readonly Change[] {
  const gone = earlier.filter(({ place }) => !rules.some((each) => samePlace(each.place, place)));
  return gone
    .flatMap(({ place }) => table.filter((each) => samePlace(each.place, place)))
    .map(({ place, options, rows }) => ({
      id: `stale:${nameOf(place)}`,
      title: `take the virtual server ${nameOf(place)} away: it is wanted no more`,
      was: [`${nameOf(place)} ${options.join(' ')}`, ...rows.map((row) => `${row.server} ${row.options.join(' ')}`), ''].join('\n'),
      will: '',
      run: sh`ipvsadm -D ${place} || ! ipvsadm -S -n | grep -qF -- ${`-A ${place.join(' ')} `}`,
      takesAway: true,
    }));
}

const words: Readonly<Record<string, string>> = {
  '-g': 'direct routing',
  '-m': 'NAT',
  '-i': 'tunnel',
  '-s': '',
  '-w': 'weight ',
  '-p': 'persistent for seconds: ',
  '-M': 'by mask ',
  '-o': 'each packet by itself',
  '-b': 'flags ',
  '-x': 'upper threshold ',
  '-y': 'lower threshold ',
};

/** Options for people: `direct routing, weight 2`. */
function shown(options: readonly string[]): string {
  const parts: string[] = [];
  for (const option of options) {
    const word = words[option];
    if (word === undefined) parts.push(`${parts.pop() ?? ''}${option}`);
    else parts.push(word);
  }
  return parts.join(', ');
}

/** Adds, or edits what is there already: safe to run again. */
function either(add: Sh, edit: Sh): Sh {
  return sh`${add} 2>/dev/null || ${edit}`;
}
