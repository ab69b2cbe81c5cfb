/** How what was built from source gets to its place: new files beside the old ones, each exchanged by a rename. */
import { type Facts, lines, type Sh, sh } from '../../../task.ts';
import { installPackages } from '../packages/install.ts';
import { packageIsThere } from '../packages/is-there.ts';

export interface SourceInstall {
  readonly prefix: string;
  readonly key: string;
  readonly manager: Facts['packageManager'];
  /** Below the prefix; it comes last, and says by its sum whether all is as it was installed. */
  readonly binary: string;
}

/** Says which build is installed: `key KEY` and `sha256 SUM` of the binary. */
export function stampPath(prefix: string): string {
  return `${prefix}/.lvsctl-build`;
}

/** Exits 0 when the binary is there as it was installed from this build. */
export function isInstalled({ prefix, key, binary }: Pick<SourceInstall, 'prefix' | 'key' | 'binary'>): Sh {
  return sh`{ { read -r _ key && read -r _ sum; } <${stampPath(prefix)}; } 2>/dev/null && [ "$key" = ${key} ] && [ "$(sha256sum <${`${prefix}/${binary}`})" = "$sum  -" ]`;
}

/** Prints `present yes`, and lines `stamp key KEY`, `stamp sha256 SUM`, `sum SUM` of what is installed. */
export function installedProbe({ prefix, binary }: Pick<SourceInstall, 'prefix' | 'binary'>): Sh {
  return sh`binary=${`${prefix}/${binary}`}
if [ -f "$binary" ]; then
  printf 'present yes\n'
  { while read -r name value; do printf 'stamp %s %s\n' "$name" "$value"; done <${stampPath(prefix)}; } 2>/dev/null
  printf 'sum %s\n' "$(sha256sum <"$binary")"
fi`;
}

export interface SeenInstall {
  readonly present: boolean;
  /** Key of the build that the installed binary came from; absent where it is not one of ours. */
  readonly key: string | undefined;
  /** The binary is no longer the one that was installed from that build. */
  readonly replaced: boolean;
}

/** Reads the lines of `installedProbe` wherever they are in the output. */
export function parseInstalled(stdout: string): SeenInstall {
  const said = (pattern: RegExp): string | undefined => pattern.exec(stdout)?.[1];
  const stamped = said(/^stamp sha256 ([0-9a-f]{64})$/m);
  return {
    present: said(/^(present) yes$/m) !== undefined,
    key: said(/^stamp key (\S+)$/m),
    replaced: stamped !== undefined && stamped !== said(/^sum ([0-9a-f]{64})\b/m),
  };
}

/** Takes $LVSCTL_ARTEFACTS/KEY.tar.gz (see source-build.ts) apart beside the prefix, and checks that it is whole. Sets `work` and `binary`. */
export function openBuild({ prefix, key, binary }: SourceInstall): Sh {
  return sh`umask 022
prefix=${prefix} key=${key} archive=$LVSCTL_ARTEFACTS/${key}.tar.gz
fail() { printf '%s\n' "$1" >&2; exit 1; }
mkdir -p -- "$prefix" && rm -rf -- "$prefix".lvsctl-?????? || exit 1
work=$(mktemp -d "$prefix.lvsctl-XXXXXX") || exit 1
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM
tar -xzof "$archive" -C "$work" || fail "$archive cannot be unpacked"
[ "$(cat "$work/key")" = "$key" ] || fail "$archive is another build"
( cd "$work" && sha256sum -c sums >/dev/null ) || fail "$archive is damaged"
binary=$work/tree$prefix/${binary}`;
}

/** Only where the linker misses one. */
export function installLibraries(manager: Facts['packageManager']): Sh {
  if (manager === 'none') return sh`:`;
  return lines(
    packageIsThere(manager),
    sh`if ldd "$binary" | grep -q 'not found'; then
  while read -r package <&3; do
    case $package in '' | -* | *[!a-zA-Z0-9.+_-]*) continue ;; esac
    package_is_there "$package" || {`,
    installOne(manager),
    sh`    } || fail "the package $package cannot be installed"
  done 3<"$work/packages"
fi`,
  );
}

/** `installPackages` for the name in `$package`, which only the host knows. */
function installOne(manager: Facts['packageManager']): Sh {
  const name = '(package)';
  const { parts } = installPackages(manager, [name]);
  return { parts: parts.map((part) => ('value' in part && part.value === name ? { text: '"$package"' } : part)) };
}

/** Puts every file of the tree in place but the binary; of what the shell pattern `keep` names, only what is not there yet. */
export function placeFiles(binary: string, keep?: Sh): Sh {
  return sh`cd "$work/tree" && find . -type d >"$work/directories" && find . ! -type d >"$work/files" || exit 1
while IFS= read -r path; do [ -d "/$path" ] || mkdir -- "/$path" || exit 1; done <"$work/directories"
put() { # FROM TO
  if [ -e "$2" ]; then cp -p -- "$1" "$2.lvsctl" && mv -f -- "$2.lvsctl" "$2"; else mv -- "$1" "$2"; fi
}
while IFS= read -r path; do
  target=/\${path#./}
  case $target in
    "$prefix"/${binary}) continue ;;
    ${keep ? sh`${keep}) [ ! -e "$target" ] && [ ! -L "$target" ] || continue ;;` : sh`*) ;;`}
  esac
  put "$path" "$target" || exit 1
done <"$work/files"`;
}

/** The binary, and last the stamp that says that all is there. */
export function placeBinary({ prefix, binary }: SourceInstall): Sh {
  return sh`put "$binary" "$prefix"/${binary} || exit 1
[ ! -e /sys/fs/selinux/enforce ] || ! command -v restorecon >/dev/null || restorecon -R -- "$prefix" || :
sum=$(sha256sum <"$prefix"/${binary}) || exit 1
printf 'key %s\nsha256 %s\n' "$key" "\${sum%% *}" >"$work/stamp" && mv -f -- "$work/stamp" ${stampPath(prefix)} || exit 1
sync -- "$prefix"/${binary} ${stampPath(prefix)} 2>/dev/null || sync`;
}
