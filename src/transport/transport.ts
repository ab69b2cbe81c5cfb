/** What a stage needs of a host's line, whatever carries it. */
import type { Duplex, Readable, Writable } from 'node:stream';
import type { Host } from '../model.ts';

/**
 * Opens a byte stream to an address. The default is a plain TCP socket; the lab and bastions bring their own. `givenUp`: nobody waits for
 * it any more, although it may still come.
 */
export type Dial = (address: string, port: number, givenUp?: AbortSignal) => Promise<Duplex>;

/** A root shell on the host that reads its script from `stdin` and is told nothing else. */
export interface Channel {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the remote shell has ended; never rejects. `exit` is null when the line broke or a signal ended it. */
  readonly ended: Promise<{ readonly exit: number | null }>;
  /** Stops listening and closes the line's end here; the remote side sees end of file. */
  close(): void;
}

/** One connection to one host, on which up to four channels are open at once; further ones wait. */
export interface Connection {
  readonly host: Host;
  /** A root shell (`sh`), through sudo where the host says so. Throws LvsError (exit 5) when it cannot be had. */
  shell(): Promise<Channel>;
  /** Channels opened so far; the closing line of a run counts them. */
  readonly channels: number;
  /** A second line to the host: whether one can still be had. Absent: it cannot be asked. */
  readonly again?: () => Promise<Connection>;
  /** Whether the line has ended. Absent: it is not known. */
  readonly lost?: () => boolean;
  /** Opens the line anew, after the host went down; throws as `connect` does, and may be tried again until it is closed. Absent: it cannot be. */
  readonly renew?: () => Promise<void>;
  /** For good. */
  close(): void;
}

export interface Transport {
  /** Throws LvsError: `ssh.unreachable`, `ssh.host-key`, `ssh.refused`, all with exit code 5. */
  connect(host: Host): Promise<Connection>;
}
