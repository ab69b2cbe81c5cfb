import { type Sh, sh } from '../../../task.ts';

/** Defines the shell function `package_is_there NAME`. */
export function packageIsThere(manager: 'apt' | 'dnf'): Sh {
  return manager === 'apt'
    ? sh`package_is_there() { dpkg-query -W -f '\${db:Status-Status}\n' -- "$1" 2>/dev/null | grep -q '^installed$'; }`
    : sh`package_is_there() { rpm -q --whatprovides -- "$1" >/dev/null 2>&1; }`;
}
