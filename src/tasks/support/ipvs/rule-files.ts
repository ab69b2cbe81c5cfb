/** Where a director without keepalived keeps its rules, and where Debian's ipvsadm is told to load its own. */
export const rulesPath = '/etc/lvsctl/ipvs.rules';
export const autoPath = '/etc/default/ipvsadm';
