/** Where the value of each secret would come from, without asking anybody for it. */
import { LvsError } from '../errors.ts';
import { secretVariable } from '../sh/secret.ts';
import { secretCommand } from './ask-command.ts';
import { readSecrets, type SecretsFile } from './open.ts';
import type { Ask } from './passwords.ts';

export interface SourceOf {
  readonly name: string;
  readonly needed: boolean;
  /** Absent: a run would end for lack of it. */
  readonly from?: string;
  /** What stands against it, or cannot be told. */
  readonly why?: string;
}

export interface Sources {
  readonly named: readonly string[];
  readonly needed: ReadonlySet<string>;
  readonly from: SecretsFile | undefined;
  /** For a passphrase; values are not asked for. */
  readonly ask: Ask | undefined;
}

/** In the order of the names. Names in the file that nobody wants are not told. */
export async function sourcesOf({ named, needed, from, ask }: Sources): Promise<readonly SourceOf[]> {
  const file = from && (await look(from, ask));
  const command = secretCommand();
  return [...named].sort().map((name): SourceOf => {
    const known = { name, needed: needed.has(name) };
    if (process.env[secretVariable(name)] !== undefined) return { ...known, from: `environment: ${secretVariable(name)}` };
    if (file?.values?.has(name)) return { ...known, from: `file: ${from?.file}` };
    const reasons = file?.why === undefined ? [] : [`${from?.file}: ${file.why}`];
    if (command) {
      const words = command.map((word) => word.replaceAll('{name}', name)).join(' ');
      return { ...known, from: `command: ${words}`, why: ['not asked yet', ...reasons].join('; ') };
    }
    return { ...known, ...(ask && { from: 'asked for on the terminal' }), ...(reasons[0] !== undefined && { why: reasons[0] }) };
  });
}

interface Looked {
  readonly values?: ReadonlyMap<string, string>;
  readonly why?: string;
}

/** A file that cannot be opened is a finding here, and no end. */
async function look(from: SecretsFile, ask: Ask | undefined): Promise<Looked> {
  try {
    return { values: await readSecrets(from, ask) };
  } catch (error) {
    if (error instanceof LvsError) return { why: error.message };
    throw error;
  }
}
