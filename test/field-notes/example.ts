import type { Cluster } from './cluster.ts';

/** An inventory that comes with lvsctl, and how one sees without lvsctl that its cluster does what it is for. */
export interface Example {
  /** From the top of the repository. */
  readonly inventory: string;
  /** What it is an example of: a field note (`S0`) or a kind of cluster. */
  readonly note: string;
  /** Throws when the cluster does not do what it should; leaves it whole. */
  readonly proof: (cluster: Cluster) => Promise<void>;
}
