/** Writes a file whose content is made on the host, from what lies there when the change runs. */
import { type Sh, sh } from '../../../task.ts';
import { type WantedFile, writeFile } from './write-file.ts';

/**
 * As `writeFile`, but `print` prints the content and its status says whether it is whole. What a host's file holds then never passes
 * through a plan's fragment.
 */
export function composeFile(want: Pick<WantedFile, 'path' | 'makeParent' | 'replaceLink'>, print: Sh): Sh {
  return writeFile({ ...want, content: '', validate: (staged) => sh`{ ${print}\n} >${staged}` });
}
