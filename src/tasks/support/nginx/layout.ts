/** Where an nginx has its things: one that was compiled below its prefix, that of the distribution where packages put them. */
import { installPrefix } from '../source/configure.ts';

export interface NginxLayout {
  readonly binary: string;
  /** Holds nginx.conf and all that it includes. */
  readonly folder: string;
  readonly pidFile: string;
  readonly logs: string;
  /** Pages that lvsctl writes. */
  readonly pages: string;
}

/** The same on Debian and the Red Hat family; the label of /var/www lets nginx read it where SELinux enforces. */
const packaged: NginxLayout = {
  binary: '/usr/sbin/nginx',
  folder: '/etc/nginx',
  pidFile: '/run/nginx.pid',
  logs: '/var/log/nginx',
  pages: '/var/www/lvsctl',
};

/** Without a prefix: nginx from a package. */
export function nginxLayout(prefix: string | undefined): NginxLayout {
  if (prefix === undefined) return packaged;
  return {
    binary: `${prefix}/sbin/nginx`,
    folder: `${prefix}/conf`,
    pidFile: `${prefix}/logs/nginx.pid`,
    logs: `${prefix}/logs`,
    pages: `${prefix}/html`,
  };
}

/** The parameter `prefix` of tasks that work for both. */
export const optionalPrefix = installPrefix
  .optional()
  .describe("Folder that nginx was built into; absent: nginx of the distribution's package, in /etc/nginx");
