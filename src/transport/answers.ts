/** What a host says while it is listened to, in lines: bounded, since one that prints an endless line must not fill the memory. */
import type { Readable } from 'node:stream';

/** Far more than any answer. */
const longest = 1024 * 1024;

/** Tells of each whole line, without its newline; of one that is too long only the end comes. */
export function onLines(stream: Readable, tell: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-longest);
    for (const line of lines) tell(line);
  });
}

/**
 * Reads `NONCE answer` lines out of whatever else a shell prints. Each call gives the next answer, waiting for it, and `undefined` when
 * the stream is over.
 */
export function readAnswers(stream: Readable, nonce: string): () => Promise<string | undefined> {
  const answers: string[] = [];
  const waiting: ((answer: string | undefined) => void)[] = [];
  let over = false;
  const serve = (): void => {
    while (waiting.length > 0 && (answers.length > 0 || over)) waiting.shift()?.(answers.shift());
  };
  onLines(stream, (line) => {
    // Nobody asks a host so much that more than a few could wait.
    if (!line.startsWith(`${nonce} `) || answers.length > 100) return;
    answers.push(line.slice(nonce.length + 1));
    serve();
  });
  for (const event of ['end', 'close']) {
    stream.on(event, () => {
      over = true;
      serve();
    });
  }
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      serve();
    });
}

/** The last of what a stream says, for complaints; asked at any time. */
export function readTail(stream: Readable, bytes = 8192): () => string {
  let tail: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-bytes);
  });
  return () => tail.toString('utf8').trim();
}
