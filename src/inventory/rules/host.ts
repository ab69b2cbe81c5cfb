import { inSubnet } from '../addresses.ts';
import { type Complaint, fault, keyFault } from '../complaints.ts';
import { type HostEntry, hostEntries } from '../hosts/entries.ts';
import { type Draft, lineOf } from './draft.ts';

/** Words that stand where a host name could: in patterns, in `nginx.build.on`, for the control machine. */
const reserved = ['all', 'directors', 'backends', 'clients', 'first', 'each', 'control', 'localhost'];

/** Rules about names, roles, priorities and the common network. */
export function hostFaults(draft: Draft): readonly Complaint[] {
  return [emptySections, nameFaults, priorityFaults, networkFaults].flatMap((rule) => rule(draft, hostEntries(draft.shape)));
}

function emptySections({ shape }: Draft): readonly Complaint[] {
  const hints = {
    directors: 'name at least one host that runs keepalived, better two',
    backends: 'name at least one host that answers',
    clients: 'name a host to look from, or take clients away',
  } as const;
  const empty = (['directors', 'backends', 'clients'] as const).filter(
    (section) => shape[section] && Object.keys(shape[section]).length === 0,
  );
  return empty.map((section) => keyFault('empty-group', [section], `${section} has no hosts`, hints[section]));
}

function nameFaults(draft: Draft, entries: readonly HostEntry[]): readonly Complaint[] {
  return entries.flatMap((entry) => {
    const { name, path } = entry;
    if (reserved.includes(name)) {
      return [
        keyFault(
          'reserved-name',
          path,
          `"${name}" cannot be the name of a host`,
          `these words mean something else: ${reserved.join(', ')}`,
        ),
      ];
    }
    const first = entries.find((other) => other.name === name);
    if (!first || first === entry) return [];
    const found = `the host name "${name}" is taken: it stands under ${first.section} too ${lineOf(draft, first.path, true)}`;
    return [keyFault('duplicate-host', path, found, 'each host has a name of its own and one role')];
  });
}

function priorityFaults(draft: Draft, entries: readonly HostEntry[]): readonly Complaint[] {
  const directors = entries.filter((entry) => entry.section === 'directors');
  return directors.flatMap((entry) => {
    // One for each instance may well be the other way round in the next.
    const first = directors.find((other) => typeof entry.said.priority === 'number' && other.said.priority === entry.said.priority);
    if (!first || first === entry) return [];
    const found = `the priority ${entry.said.priority} is taken: ${first.name} has it ${lineOf(draft, [...first.path, 'priority'])}`;
    const hint = 'give each director its own, best 50 apart; between equal ones the higher address decides';
    return [fault('duplicate-priority', [...entry.path, 'priority'], found, hint)];
  });
}

function networkFaults({ shape: { network } }: Draft, entries: readonly HostEntry[]): readonly Complaint[] {
  if (network === undefined) return [];
  const strangers = entries.filter(({ said }) => !said.interfaces && !inSubnet(said.address, network));
  return strangers.map(({ name, path, said }) => {
    const found = `the address ${said.address} of ${name} lies outside the network ${network}`;
    return fault('outside-network', [...path, 'address'], found, 'correct one of the two, or say the interfaces of this host');
  });
}
