/** Where the settings of this host alone are kept, in the store of SELinux's policy: they outlive a reboot and an upgrade of the policy. */
import { type Sh, sh } from '../../../task.ts';

/** There while SELinux is on. */
export const selinuxOn = '/sys/fs/selinux/enforce';

/**
 * Sets `$local`, the folder with `booleans.local` and `ports.local`; root alone may read it. The store is elsewhere on hosts whose /var is not
 * the system's own (`store-root`).
 */
export const localSettings: Sh = sh`policy=$(sed -n 's/^SELINUXTYPE=[[:blank:]]*\\([A-Za-z0-9_-]*\\).*/\\1/p' /etc/selinux/config 2>/dev/null | head -n 1)
store=$(sed -n 's/^[[:blank:]]*store-root[[:blank:]]*=[[:blank:]]*//p' /etc/selinux/semanage.conf 2>/dev/null | head -n 1)
local=\${store:-/var/lib/selinux}/\${policy:-targeted}/active`;
