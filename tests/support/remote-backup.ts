// Puts a fake server back to what it was, as somebody does who restores a backup.
import type { FakeRemote } from './fake-remote.ts';

/** @returns what puts it back to what it has of the types now */
export function backupOf(remote: FakeRemote, types: readonly string[]): () => void {
  const kept = types.flatMap((type) => structuredClone(remote.all(type)));
  return () => {
    remote.wipe();
    for (const one of kept) remote.put(one, { lastUpdated: String(one.meta?.lastUpdated) });
  };
}
