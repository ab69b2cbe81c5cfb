import { EXIT, LvsError } from '../errors.ts';
import type { Host } from '../model.ts';
import type { Connection, Transport } from './transport.ts';

/**
 * A connection that can be opened again, in place, after its host went down: whoever holds it goes on over the new line. Closed is closed:
 * `renew` throws LvsError `ssh.closed` from then on.
 */
export async function renewable(host: Host, transport: Transport): Promise<Connection> {
  let line = await transport.connect(host);
  let spent = 0;
  let over = false;
  let hungUp = false;
  /** Once: each further goodbye to a line that is down would leave listeners on its socket. */
  const hangUp = (): void => {
    if (!hungUp) line.close();
    hungUp = true;
  };
  /** Several who use it may notice at once that it broke: it is opened once. */
  let renewing: Promise<void> | undefined;
  const anew = async (): Promise<void> => {
    if (over) throw closed(host);
    hangUp();
    const fresh = await transport.connect(host);
    spent += line.channels;
    line = fresh;
    hungUp = false;
    if (!over) return;
    hangUp();
    throw closed(host);
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
    // One that was hung up may take its time to end, or never do.
    ...(line.lost && { lost: () => hungUp || (line.lost?.() ?? false) }),
    renew() {
      renewing ??= anew().finally(() => {
        renewing = undefined;
      });
      return renewing;
    },
    close() {
      over = true;
      hangUp();
    },
  };
}

function closed({ name }: Host): LvsError {
  return new LvsError('the connection was closed for good', { code: 'ssh.closed', exitCode: EXIT.unreachable, where: { host: name } });
}
