/** `-e` on the command line: variables that win over all others. They are data: never evaluated. */
import { z } from 'zod';
import { EXIT, LvsError } from '../errors.ts';
import { openReader, readText, shaped } from './reader.ts';

export interface ExtraVars {
  readonly values: Readonly<Record<string, unknown>>;
  /** Names of the secrets that a file wants. */
  readonly secretNames: readonly string[];
}

/** Each is `KEY=VALUE` (the value is text), `@FILE` with a YAML mapping, or a JSON object; the last word counts. Throws LvsError (exit 4). */
export function readExtraVars(words: readonly string[]): ExtraVars {
  const read = words.map(readOne);
  return { values: Object.assign({}, ...read.map(({ values }) => values)), secretNames: read.flatMap(({ secretNames }) => secretNames) };
}

const mapping = z.record(z.string(), z.unknown(), { error: 'not a mapping of names to values' });

function readOne(word: string): ExtraVars {
  if (word.startsWith('@')) return readMapping(readText(word.slice(1)), word.slice(1));
  if (word.trimStart().startsWith('{')) return readMapping(word, '--extra-vars');
  const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(word) ?? [];
  if (name === undefined) {
    throw new LvsError(`--extra-vars ${JSON.stringify(word)} cannot be read`, {
      code: 'playbook.extra-vars',
      exitCode: EXIT.badInput,
      hint: 'write NAME=VALUE, @FILE.yaml or a JSON object',
    });
  }
  const [, second] = /\s([A-Za-z_]\w*)=/.exec(value ?? '') ?? [];
  if (second !== undefined) {
    throw new LvsError(`--extra-vars ${JSON.stringify(word)} gives ${name} a value with "${second}=" in it`, {
      code: 'playbook.extra-vars',
      exitCode: EXIT.badInput,
      hint: 'write -e once for each variable, or a JSON object if that is meant',
    });
  }
  return { values: { [name]: value }, secretNames: [] };
}

function readMapping(text: string, file: string): ExtraVars {
  const reader = openReader(text, file);
  const values = shaped(mapping, reader.source.value ?? {}, [], reader, { keys: [], hint: 'write NAME: VALUE' });
  return { values, secretNames: reader.source.secretNames };
}
