/** What a change needs from the control machine, brought to the host; what a host has built, brought back. */
import type { Change, Event } from '../../model.ts';
import { fetchFile, sendFile } from '../../transport/send-file.ts';
import type { Connection } from '../../transport/transport.ts';
import { hostCache } from '../bundle/bundle.ts';
import type { Builds } from './artefacts.ts';
import { artefactPath, fetchBlob, type Store, sha256 } from './store.ts';

interface Options {
  readonly store: Store;
  readonly builds: Builds;
  readonly emit: (event: Event) => void;
}

/** Sources for a build, files to be copied, an artefact that another host makes: waits for that. */
export async function deliver(change: Change, connection: Connection, { store, builds, emit }: Options): Promise<void> {
  const host = connection.host.name;
  const send = async (path: string, sum: string, to: string, name: string): Promise<void> => {
    const progress = (done: number, total: number): void =>
      emit({ kind: 'progress', host, title: `send ${name}`, done, total, unit: 'bytes' });
    await sendFile(connection, { path, sha256: sum, to, mode: '600' }, progress);
  };
  for (const blob of change.blobs ?? []) {
    emit({ kind: 'host', host, doing: `fetch ${blob.name}` });
    await send(await fetchBlob(store, blob), blob.sha256, `${hostCache}/blobs/${blob.sha256}`, blob.name);
  }
  const key = change.consumes?.key;
  if (key === undefined || change.produces) return;
  emit({ kind: 'host', host, doing: `wait for ${change.consumes?.title}` });
  await builds.wait(key);
  const path = artefactPath(store, key);
  await send(path, await sha256(path), `${hostCache}/artefacts/${key}.tar.gz`, `${key}.tar.gz`);
}

export async function collect(key: string, connection: Connection, { store, builds, emit }: Options): Promise<void> {
  const host = connection.host.name;
  await fetchFile(connection, { from: `${hostCache}/artefacts/${key}.tar.gz`, to: artefactPath(store, key) }, (done, total) =>
    emit({ kind: 'progress', host, title: `keep ${key}.tar.gz`, done, total, unit: 'bytes' }),
  );
  builds.finish(key);
}
