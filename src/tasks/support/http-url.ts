/** An address of the web as a parameter. */
import { text } from './params.ts';

export const httpUrl = text.refine(
  isHttpUrl,
  'an address such as https://nginx.org/download/nginx-1.26.3.tar.gz, with http or https, without a user, blanks or a fragment',
);

/** True for an absolute http or https URL that names nobody: a password in it would show in every plan. */
export function isHttpUrl(value: string): boolean {
  if (/[\s\p{C}#]/u.test(value) || !/^https?:\/\//.test(value)) return false;
  try {
    const { username, password, hostname } = new URL(value);
    return username === '' && password === '' && hostname !== '';
  } catch {
    return false;
  }
}
