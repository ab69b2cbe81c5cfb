/** Has systemd's own checker read a unit before it is put in place. */
import { type Sh, sh } from '../../../task.ts';

/**
 * A validator for `fileChange`. The checker goes by file names, so it is shown a copy under the unit's own name; a drop-in is checked
 * together with the unit that it adds to. Where the checker or that unit is not there, nothing is checked.
 */
export function verifyUnit(unit: string, dropin: string | undefined): (staged: Sh) => Sh {
  return (staged) => sh`(
command -v systemd-analyze >/dev/null || exit 0
unit=${unit} copy=$(mktemp -d) || exit 1
trap 'rm -rf -- "$copy"' EXIT
${dropin === undefined ? sh`cp -- ${staged} "$copy/$unit" || exit 1` : withDropin(dropin, staged)}
case $(systemd-analyze verify --help) in
  *--recursive-errors*) systemd-analyze verify --man=no --recursive-errors=no "$copy/$unit" ;;
  *) systemd-analyze verify --man=no "$copy/$unit" ;;
esac
)`;
}

function withDropin(dropin: string, staged: Sh): Sh {
  return sh`whole=$(systemctl show -p FragmentPath -- "$unit") && whole=\${whole#FragmentPath=}
[ -f "$whole" ] || exit 0
mkdir "$copy/$unit.d" && cp -- "$whole" "$copy/$unit" && cp -- ${staged} "$copy/$unit.d/"${dropin} || exit 1`;
}
