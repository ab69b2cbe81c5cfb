/** Files that a playbook imports: they are part of it before anything is bound. */
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Where } from '../errors.ts';
import { complaint } from './complaint.ts';
import { openReader, type Reader, readText } from './reader.ts';

/** The imported file; its path is relative to the file that imports it. Throws LvsError (exit 4) where it is imported. */
export function openImport(path: string, where: Where, from: Reader): Reader {
  if (path.includes('<%')) {
    throw complaint('the name of an import is not evaluated', where, 'playbook.import', 'import each file under a "when" of its own');
  }
  const file = isAbsolute(path) ? path : join(dirname(from.file), path);
  const known = from.chain.map((above) => resolve(above)).indexOf(resolve(file));
  if (known !== -1) {
    const circle = [...from.chain.slice(known), file].join(' → ');
    throw complaint(`${file} imports itself`, where, 'playbook.import', `take one of these imports away: ${circle}`);
  }
  return openReader(readText(file, where), file, from);
}
