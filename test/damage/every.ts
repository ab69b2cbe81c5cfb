import type { Damage } from './damage.ts';
import { anyHost } from './rows/any-host.ts';
import { director } from './rows/director.ts';
import { ipvs } from './rows/ipvs.ts';
import { network } from './rows/network.ts';
import { nginx } from './rows/nginx.ts';
import { realServer } from './rows/real-server.ts';
import { fixed } from './rows/static.ts';
import { web } from './rows/web.ts';

/** Every kind of damage that there is. */
export const every: readonly Damage[] = [...realServer, ...nginx, ...director, ...ipvs, ...network, ...fixed, ...anyHost, ...web];
