/** How a built nginx gets to its place: the running nginx undisturbed, and what people keep below the prefix too. */
import { type Facts, lines, type Sh, sh } from '../../../task.ts';
import { installLibraries, isInstalled as isInstalledFrom, openBuild, placeBinary, placeFiles } from '../source/install.ts';

interface NginxInstall {
  readonly prefix: string;
  readonly key: string;
  readonly manager: Facts['packageManager'];
}

export const binary = 'sbin/nginx';

/** Exits 0 when the binary is there as it was installed from this build. */
export function isInstalled({ prefix, key }: Pick<NginxInstall, 'prefix' | 'key'>): Sh {
  return isInstalledFrom({ prefix, key, binary });
}

/** What is in conf, html and logs already stays as it is; the binary that is replaced stays as nginx.old. */
export function installNginx(want: NginxInstall): Sh {
  return lines(
    sh`(`,
    openBuild({ ...want, binary }),
    installLibraries(want.manager),
    sh`"$binary" -V >/dev/null 2>&1 || { ldd "$binary" >&2 || :; fail 'the built nginx does not run on this host'; }`,
    placeFiles(binary, sh`"$prefix"/conf/* | "$prefix"/html/* | "$prefix"/logs/*`),
    sh`if [ -f "$prefix/sbin/nginx" ]; then
  rm -f -- "$prefix/sbin/nginx.old"
  ln -- "$prefix/sbin/nginx" "$prefix/sbin/nginx.old" || exit 1
fi`,
    placeBinary({ ...want, binary }),
    sh`"$prefix/sbin/nginx" -V 2>&1 | head -n 1
)`,
  );
}
