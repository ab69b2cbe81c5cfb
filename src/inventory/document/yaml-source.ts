import { type Document, LineCounter, parseDocument, type ScalarTag, visit, type YAMLError } from 'yaml';
import { secretName, secretSlot } from '../../sh/secret.ts';
import { type Complaint, fault, formatValue, type Locate, visible } from '../complaints.ts';
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
  return fault('yaml', 0, `this file cannot be read: ${found}`, hint);
}

function secretTag(names: Set<string>): ScalarTag {
  return {
    tag: '!secret',
    resolve: (name, onError) => {
      if (!secretName.test(name)) {
        onError(`${formatValue(name)} cannot name a secret`);
        return '';
      }
      names.add(name);
      return secretSlot(name);
    },
  };
}

/** Mistakes that the parser gives the code of another one, by the beginning of its message. */
const finerHints: readonly (readonly [RegExp, string])[] = [
  [/^Sequence item without -/, 'keys of one mapping, and items of one list, start in the same column'],
  [/^Implicit keys need to be on a single line/, 'a key ends with a colon: look for one that is missing on this line'],
  [
    /^Unresolved tag: !vault/,
    'the only tag is !secret NAME; whole files of ansible-vault are read, single values are not (docs/secrets.md)',
  ],
];

/** `[directors]`, alone on the first line that says anything. */
const iniForm = /^(?:\s*(?:[#;].*)?\n)*\s*\[[^\]\n,]+\]\s*\n/;

const syntaxHints: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'take one of the two away',
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'keys of one mapping, and items of one list, start in the same column; what a bracket opens is closed and indented',
  MISSING_CHAR: 'look for what is not closed: a quote, a bracket, a brace; or for a missing colon or comma',
  MULTIPLE_DOCS: 'one document is allowed: take the line --- away',
  NON_STRING_KEY: 'a key has no brackets, tag or alias',
  TAG_RESOLVE_FAILED: 'the only tag is !secret NAME, and NAME is letters, digits, "_", "." and "-" after a letter',
};

/** Errors that leave the rest of the file readable; after any other the parser has lost its way, and only echoes follow. */
const harmless = ['DUPLICATE_KEY', 'TAG_RESOLVE_FAILED'];

function syntaxComplaints(document: Document.Parsed, text: string): readonly Complaint[] {
  const errors = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  const lost = errors.findIndex(({ code }) => !harmless.includes(code));
  return (lost === -1 ? errors : errors.slice(0, lost + 1)).map((error) => syntaxComplaint(error, document, text));
}

function syntaxComplaint({ code, message, pos: [at] }: YAMLError, document: Document.Parsed, text: string): Complaint {
  const tab = indentingTab(text, at);
  if (tab !== undefined) return fault('yaml', tab, 'not valid YAML: Tabs are not allowed as indentation', 'indent with spaces');
  if (iniForm.test(text)) return fault('yaml', 0, 'this is an INI file', 'lvsctl reads YAML: see inventory/dr.yaml');
  const finer = finerHints.find(([form]) => form.test(message))?.[1];
  const hint = finer ?? syntaxHints[code] ?? 'quote text that starts with a sign or holds ": " or " #"';
  if (code === 'DUPLICATE_KEY') return fault('duplicate-key', at, `the key ${formatValue(keyAt(text, at))} is there twice`, hint);
  if (code === 'MULTIPLE_DOCS') return fault('yaml', at, 'a second document begins here', hint);
  if (code === 'NON_STRING_KEY') return fault('yaml', at, 'this key is not plain text', hint);
  return fault(
    'yaml',
    message.startsWith('Missing closing') ? openingQuote(document, at) : at + (/^ */.exec(text.slice(at))?.[0].length ?? 0),
    `not valid YAML: ${visible(message)}`,
    hint,
  );
}

/** The parser often takes a tab for the beginning of something else. */
function indentingTab(text: string, at: number): number | undefined {
  const start = text.lastIndexOf('\n', Math.max(0, at - 1)) + 1;
  const [before = ''] = /^ *(?=\t)/.exec(text.slice(start)) ?? [];
  return text[start + before.length] === '\t' ? start + before.length : undefined;
}

function keyAt(text: string, offset: number): string {
  const key = /^(?:"(?:\\.|[^"])*"|'[^']*'|[^\s:,{}]*)/.exec(text.slice(offset, offset + 100))?.[0] ?? '';
  return key.replace(/^["']|["']$/g, '');
}

/** The parser misses the closing quote at the end of the file; people look for the opening one. */
function openingQuote(document: Document.Parsed, end: number): number {
  let opening = end;
  visit(document, {
    Scalar: (_, { range, type }) => {
      if (range?.[1] === end && type?.startsWith('QUOTE')) opening = range[0];
    },
  });
  return opening;
}
