import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatError, LvsError } from '../../src/errors.ts';
import { parseInventory } from '../../src/inventory/load.ts';
import { selectHosts } from '../../src/inventory/select.ts';
import { anyText, base, edited } from './base.ts';

const { fleet } = parseInventory(edited(['clients:', 'groups: { odd: { hosts: [dr1, web1] } }\nclients:']), 'web.yaml');
const select = (pattern: string) => selectHosts(fleet, pattern).map((host) => host.name);

/** The line with which a pattern is refused, or the names that it chooses. */
function refusal(pattern: string): string {
  try {
    return select(pattern).join();
  } catch (error) {
    if (!(error instanceof LvsError)) throw error;
    expect(error).toMatchObject({ code: 'inventory.unknown-host', exitCode: 4 });
    return formatError(error);
  }
}

describe('a pattern chooses hosts', () => {
  it.each([
    ['all', ['dr1', 'dr2', 'web1', 'web2', 'probe']],
    ['*', ['dr1', 'dr2', 'web1', 'web2', 'probe']],
    ['web2', ['web2']],
    ['web2:dr1', ['dr1', 'web2']],
    ['web2,dr1', ['dr1', 'web2']],
    [' web2 , dr1 ', ['dr1', 'web2']],
    ['web*', ['web1', 'web2']],
    ['?r1', ['dr1']],
    ['*ends', ['web1', 'web2']],
    ['backends:!web2', ['web1']],
    ['!web2:backends', ['web1']],
    ['!web2', ['dr1', 'dr2', 'web1', 'probe']],
    ['backends:&odd', ['web1']],
    ['&odd', ['dr1', 'web1']],
    ['all:&odd:!directors', ['web1']],
    ['odd:!odd', []],
    ['~web[12]', ['web1', 'web2']],
    ['~(?:web|dr)1,probe', ['dr1', 'web1', 'probe']],
    ['all:!~.*1', ['dr2', 'web2', 'probe']],
    ['~back', ['web1', 'web2']],
    ['web[1:2]', ['web1', 'web2']],
    ['backends[0]', ['web1']],
    ['backends[-1]', ['web2']],
    ['all[1:3]', ['dr2', 'web1', 'web2']],
    ['all[3:]', ['web2', 'probe']],
    ['all[:1]', ['dr1', 'dr2']],
    ['*r*[1-9]:&all', ['dr2', 'probe']],
  ])('%s', (pattern, names) => {
    expect(select(pattern)).toEqual(names);
  });

  it('a section without hosts is still a name', () => {
    const without = parseInventory(base.replace(/clients:\n.*\n/, ''), 'web.yaml').fleet;
    expect(selectHosts(without, 'clients')).toEqual([]);
  });
});

describe('a name that is not there', () => {
  const examples = '"Host patterns" in docs/playbooks.md has examples';
  const known = 'known: all, directors, backends, clients, odd, dr1, dr2, web1, web2, probe';

  it.each([
    ['wbe1', `no host or group is called "wbe1"; did you mean "web1"? ${known}`],
    ['all:!bakends', `no host or group is called "bakends"; did you mean "backends"? ${known}`],
    ['db*', `no host or group is called "db*"; ${known}`],
    ['constructor', `no host or group is called "constructor"; ${known}`],
    ['web.', `no host or group is called "web."; did you mean "web1"? ${known}`],
    ['', `no host or group is called ""; ${known}`],
    [':', `no host or group is called ":"; ${known}`],
    ['mail[1:3]', `no host or group is called "mail[1:3]"; ${known}`],
    ['~db', `no host or group is called "~db"; ${known}`],
    ['web[1:3]', `the pattern "web[1:3]" cannot be followed: there is no web3; ${examples}`],
    ['backends[2]', `the pattern "backends[2]" cannot be followed: backends has 2 hosts, counted from 0, and none at 2; ${examples}`],
    [
      'backends[x]',
      `the pattern "backends[x]" cannot be followed: backends has 2 hosts, counted from 0, and "x" is no position; ${examples}`,
    ],
    ['~web(', expect.stringMatching(/^the pattern "~web\(" cannot be followed: Invalid regular expression: .*Unterminated group/)],
  ])('%j', (pattern, line) => {
    expect(refusal(pattern)).toEqual(line);
  });

  it('a range that could mean names or positions is not guessed at', () => {
    const { fleet: other } = parseInventory(edited(['clients:', 'groups: { web: { hosts: [backends, dr1] } }\nclients:']), 'web.yaml');
    expect(() => selectHosts(other, 'web[1:2]')).not.toThrow();
    expect(() => selectHosts(other, 'web[0:1]')).not.toThrow();
    const text = edited(['clients:', 'groups: { web: { hosts: [all] } }\nclients:']);
    expect(() => selectHosts(parseInventory(text, 'web.yaml').fleet, 'web[1:2]')).toThrow(
      'it can mean web1, web2, or by position in web dr2, web1; write the names',
    );
  });

  it('is told with the place where the pattern stood', () => {
    const where = { file: 'play.yaml', line: 3, column: 10 };
    expect(() => selectHosts(fleet, 'wbe1', where)).toThrow(expect.objectContaining({ where }));
  });
});

describe('whatever the pattern', () => {
  const term = fc
    .tuple(fc.constantFrom('', '!', '&'), fc.constantFrom('all', 'odd', 'web1', 'w*', '?r*', 'probe'))
    .map((parts) => parts.join(''));

  it('the order of its terms does not matter, and no host comes twice', () => {
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 5 }), (terms) => {
        const names = select(terms.join(':'));
        expect(select([...terms].reverse().join(','))).toEqual(names);
        expect(new Set(names).size).toBe(names.length);
      }),
    );
  });

  it('the answer is hosts or a refusal', () => {
    fc.assert(fc.property(anyText, (pattern) => void refusal(pattern)));
  });
});
