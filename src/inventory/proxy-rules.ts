import { type Complaint, fault, keyFault } from './complaints.ts';
import type { Draft } from './draft.ts';
import { chosenBackends } from './entries.ts';

/** Rules about sites of nginx on the directors. */
export function proxyFaults({ shape, fleet, locate }: Draft): readonly Complaint[] {
  const sites = fleet.proxy?.sites ?? [];
  return sites.flatMap((site, index) => {
    const at = ['proxy', 'sites', index];
    const same = sites.findIndex(({ vip, port, serverName }) => vip === site.vip && port === site.port && serverName === site.serverName);
    if (same !== index) {
      const found = `the site ${site.vip}:${site.port} is there already (line ${locate({ at: ['proxy', 'sites', same, 'vip'] }).line})`;
      return [fault('duplicate-service', [...at, 'vip'], found, 'tell sites of one VIP and port apart by server_name')];
    }
    const known = fleet.groups.backends ?? [];
    const choices = [shape.proxy?.sites[index], ...(shape.proxy?.sites[index]?.by_user_agent ?? [])];
    const named = choices.flatMap((choice) =>
      choice === undefined || choice.backends === 'all'
        ? []
        : Array.isArray(choice.backends)
          ? choice.backends
          : Object.keys(choice.backends),
    );
    if (choices.some((choice) => choice && chosenBackends(choice.backends).names?.length === 0))
      return [keyFault('empty-group', [...at, 'backends'], 'this site has no backends', 'say all, or at least one name')];
    const unknown = named.filter((name) => !known.includes(name));
    return unknown.map((name) =>
      keyFault('unknown-host', [...at, 'backends'], `no backend is called "${name}"`, `backends: ${known.join(', ')}`),
    );
  });
}
