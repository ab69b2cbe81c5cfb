import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf, readerCommand, readerInput, sudoersText } from '../../src/sh/reader.ts';

describe('the command of a reader', () => {
  it('has one word in quotes that every login shell leaves as it is', () => {
    const [before, quoted, after] = readerCommand.split("'");
    expect([before, after]).toEqual(['sudo -n /bin/sh -c ', '']);
    expect(quoted).not.toMatch(/[\\!\n]/);
  });

  it('gets its parts as words, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (texts) => {
        const words = readerInput(texts, 'nonce').trimEnd().split('\n');
        expect(words[0]).toBe('nonce');
        expect(words.slice(1).map((word) => Buffer.from(word, 'base64').toString())).toEqual(texts.map((text) => `${text}\n`));
        for (const word of words) expect(word).toMatch(/^[A-Za-z0-9+/=]+$/);
      }),
    );
  });
});

describe('the file for sudo', () => {
  it('allows its user the command of a reader, and nothing else', () => {
    const text = sudoersText('watch', [{ text: 'cat /etc/hosts', name: 'hosts' }], ['made for you']);
    const [head, defaults, rule, listed, ...rest] = text.split('\n');
    expect([head, defaults, listed, rest]).toEqual([
      '# made for you',
      'Defaults:watch !requiretty, env_reset',
      `# ${digestOf('cat /etc/hosts')} hosts`,
      [''],
    ]);
    expect(`${rule?.replace('watch ALL=(root) NOPASSWD: ', 'sudo -n ').replace(/-c (.*)/, "-c '$1'")}`.replaceAll(/\\(.)/g, '$1')).toBe(
      readerCommand,
    );
    // What sudoers reads as an end, a pattern or another rule.
    expect(rule?.replace('watch ALL=(root) NOPASSWD: ', '')).not.toMatch(/(?<!\\)[,:=#*?[\]]/);
  });

  it('has no more rules than one, and no more sums than texts, whatever names they have', () => {
    const wicked = fc.oneof(
      fc.string(),
      fc.constantFrom(`x\n# ${digestOf('id')} y`, 'x\nwatch ALL=(ALL) NOPASSWD: ALL', 'x\r\nALL ALL=(ALL) ALL', '\\', '\\\n'),
    );
    fc.assert(
      fc.property(wicked, wicked, (name, head) => {
        const lines = sudoersText('watch', [{ text: 'true', name }], [head]).split('\n');
        expect(lines.filter((line) => !/^(# .*)?$/.test(line))).toHaveLength(2);
        expect(lines.filter((line) => /^# [0-9a-f]{64} /.test(line))).toEqual([expect.stringContaining(digestOf('true'))]);
      }),
    );
  });
});
