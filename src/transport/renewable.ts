import type { Host } from '../model.ts';
import type { Connection, Transport } from './transport.ts';

/** A connection that can be opened again, in place, after its host went down: whoever holds it goes on over the new line. */
export async function renewable(host: Host, transport: Transport): Promise<Connection> {
  let line = await transport.connect(host);
  let spent = 0;
  let closed = false;
  /** Once: each further goodbye to a line that is down would leave listeners on its socket. */
  const close = (): void => {
    if (!closed) line.close();
    closed = true;
  };
  /** Several who use it may notice at once that it broke: it is opened once. */
  let renewing: Promise<void> | undefined;
  const anew = async (): Promise<void> => {
    close();
    const fresh = await transport.connect(host);
    spent += line.channels;
    line = fresh;
    closed = false;
  };
  return {
    get host() {
      return line.host;
    },
    get channels() {
      return spent + line.channels;
    },
    shell: () => line.shell(),
    again: () => transport.connect(host),
    ...(line.lost && { lost: () => line.lost?.() ?? false }),
    renew() {
      renewing ??= anew().finally(() => {
        renewing = undefined;
      });
      return renewing;
    },
    close,
  };
}
