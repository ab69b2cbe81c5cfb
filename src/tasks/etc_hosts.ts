import { z } from 'zod';
import { type Change, defineTask } from '../task.ts';
import { editableText, editChange } from './support/files/edit-lines.ts';
import { bindNames, freeNames, type HostsEntry, sameForm } from './support/files/hosts-lines.ts';
import { fileProbe, parseFile, type SeenFile } from './support/files/write-file.ts';
import { oneOrMore, toList } from './support/params.ts';

const path = '/etc/hosts';

const hostName = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/, 'a host name such as web1');

const params = z
  .strictObject({
    entries: z
      .record(z.union([z.ipv4(), z.ipv6()]), oneOrMore(hostName))
      .refine((entries) => Object.keys(entries).length > 0, 'at least one address')
      .describe('Address → name, or list of names. Each name leads to this address and, within its family, to no other.'),
    state: z.enum(['present', 'absent']).default('present').describe('`absent` takes these names away from these addresses.'),
  })
  .refine(
    ({ entries, state }) =>
      state === 'absent' || listed(entries).every(({ address, names }) => isLoopback(address) || !names.some(isLocalhost)),
    '"localhost" must lead to 127.0.0.1 or ::1',
  )
  .refine(
    ({ entries, state }) => state === 'absent' || !contradicts(listed(entries)),
    'a name with two addresses of one family: only one of them would count',
  );

type Want = z.infer<typeof params>;

export default defineTask<Want, SeenFile>({
  summary: 'Names of hosts in /etc/hosts, so that they are found without a name server. Other lines stay as they are.',
  params,
  touches: () => [`file:${path}`],
  probe: () => fileProbe(path),
  parse: (output) => parseFile(output),
  plan: (seen, want) => plan(seen, want),
  settled: ({ entries, state }) => {
    if (state === 'absent')
      return `${path} has no ${listed(entries)
        .map(({ address, names }) => [address, ...names].join(' '))
        .join(', ')}`;
    return listed(entries)
      .map(({ address, names }) => `${names.join(', ')} ${names.length === 1 ? 'leads' : 'lead'} to ${address}`)
      .join('; ');
  },
  example: { entries: { '10.18.43.10': 'dr1', '10.18.43.20': ['dr2', 'dr2.example.org'] }, state: 'present' },
});

/** Each address once, in one form. */
function listed(entries: Readonly<Record<string, string | readonly string[]>>): readonly HostsEntry[] {
  const all = Object.entries(entries).map(([address, names]) => ({ address: sameForm(address), names: toList(names) }));
  const addresses = [...new Set(all.map(({ address }) => address))];
  return addresses.map((address) => ({
    address,
    names: [...new Set(all.flatMap((each) => (each.address === address ? each.names : [])))],
  }));
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

function isLocalhost(name: string): boolean {
  return name.toLowerCase() === 'localhost';
}

function contradicts(entries: readonly HostsEntry[]): boolean {
  const pairs = entries.flatMap(({ address, names }) => names.map((name) => `${address.includes(':')} ${name.toLowerCase()}`));
  return new Set(pairs).size < pairs.length;
}

function plan(seen: SeenFile, { entries, state }: Want): readonly Change[] {
  const content = editableText(seen, path, true);
  const edits = state === 'present' ? bindNames(content, listed(entries)) : freeNames(content, listed(entries));
  const names = [...new Set(listed(entries).flatMap((entry) => entry.names))];
  const title =
    state === 'present'
      ? `let ${listOf(names)} lead to ${names.length === 1 ? 'its address' : 'their addresses'} in ${path}`
      : `take ${listOf(names)} out of ${path}`;
  return editChange(seen, { path, edits, title });
}

function listOf(names: readonly string[]): string {
  return names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
}
