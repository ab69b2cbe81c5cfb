import type { Readable } from 'node:stream';

/** Far more than any answer: a host that prints an endless line must not fill the memory. */
const longest = 1024 * 1024;

/**
 * Reads `NONCE answer` lines out of whatever else a shell prints. Each call gives the next answer, waiting for it, and `undefined` when
 * the stream is over.
 */
export function readAnswers(stream: Readable, nonce: string): () => Promise<string | undefined> {
  const answers: string[] = [];
  const waiting: ((answer: string | undefined) => void)[] = [];
  let rest = '';
  let over = false;
  const serve = (): void => {
    while (waiting.length > 0 && (answers.length > 0 || over)) waiting.shift()?.(answers.shift());
  };
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-longest);
    answers.push(...lines.filter((line) => line.startsWith(`${nonce} `)).map((line) => line.slice(nonce.length + 1)));
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
