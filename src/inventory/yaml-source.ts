import { type Document, LineCounter, parseDocument, type ScalarTag } from 'yaml';
import { secretSlot } from '../sh/secret.ts';
import { type Complaint, formatValue, type Locate } from './complaints.ts';
import { locateIn } from './locate.ts';
import { toValue } from './yaml-value.ts';

/** A YAML text as plain data that still knows where everything stood. */
export interface YamlSource {
  readonly value: unknown;
  readonly locate: Locate;
  /** Names of all `!secret NAME`, in the order of the file, each once. */
  readonly secretNames: readonly string[];
  /** What is wrong with it as YAML; when there is any, `value` is of no use. */
  readonly complaints: readonly Complaint[];
}

/** One megabyte holds thousands of hosts; the parser's search for duplicate keys grows with the square. */
const longestText = 1_000_000;

/** `%YAML 1.1` would turn `off` into false and `1:20` into 80; a key such as `51` stays text. */
const parseOptions = { schema: 'core', resolveKnownTags: false, stringKeys: true, prettyErrors: false } as const;

/** Reads YAML 1.2 with one tag of our own, `!secret NAME`, which becomes a secret slot. Never throws. */
export function readYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const broken = (...complaints: readonly Complaint[]): YamlSource => {
    return { value: undefined, locate: locateIn(null, lines, new Map()), secretNames: [], complaints };
  };
  if (text.length > longestText) return broken(unreadable(`${text.length} characters`, `at most ${longestText} are allowed`));
  const secrets = new Set<string>();
  try {
    const document = parseDocument(text, { ...parseOptions, lineCounter: lines, customTags: [secretTag(secrets)] });
    const syntax = syntaxComplaints(document, text);
    if (syntax.length > 0) return broken(...syntax);
    const { value, targets, complaints } = toValue(document.contents);
    return { value, locate: locateIn(document.contents, lines, targets), secretNames: [...secrets], complaints };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // The recursion of parser and reader has no limit but the stack: ten thousand brackets end here.
    return broken(unreadable('nested too deeply, or too many aliases', 'nest less deeply'));
  }
}

function unreadable(found: string, hint: string): Complaint {
  return { code: 'yaml', at: 0, found: `this file cannot be read: ${found}`, hint };
}

function secretTag(names: Set<string>): ScalarTag {
  return {
    tag: '!secret',
    resolve: (name, onError) => {
      if (!/^[A-Za-z][\w.-]{0,63}$/.test(name)) {
        onError(`${formatValue(name)} cannot name a secret`);
        return '';
      }
      names.add(name);
      return secretSlot(name);
    },
  };
}

const syntaxHints: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'take one of the two away',
  TAB_AS_INDENT: 'indent with spaces',
  MULTIPLE_DOCS: 'an inventory is one document: take the line --- away',
  NON_STRING_KEY: 'a key is plain text',
  TAG_RESOLVE_FAILED: 'the only tag is !secret NAME, and NAME is letters, digits, "_", "." and "-" after a letter',
};

/** One complaint a line: what follows on the same line is mostly the echo of the first. */
function syntaxComplaints(document: Document.Parsed, text: string): readonly Complaint[] {
  const byLine = new Map<string, Complaint>();
  for (const { code, message, pos } of [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0])) {
    const key = /^(?:"(?:\\.|[^"])*"|'[^']*'|[^\s:,{}]*)/.exec(text.slice(pos[0], pos[0] + 100))?.[0] ?? '';
    const duplicate = code === 'DUPLICATE_KEY';
    const found = duplicate ? `the key ${formatValue(key.replace(/^["']|["']$/g, ''))} is there twice` : `not valid YAML: ${message}`;
    const hint = syntaxHints[code] ?? 'quote text that starts with a sign or holds ": " or " #"';
    const line = text.slice(0, pos[0]).split('\n').length;
    if (!byLine.has(`${line}`)) byLine.set(`${line}`, { code: duplicate ? 'duplicate-key' : 'yaml', at: pos[0], found, hint });
  }
  return [...byLine.values()];
}
