// Records of ours that were merged into others here: who stands for whom. docs/sync-spec.md#I8
import { followChain, replacedBy } from '../../fhir/patient-merge.ts';
import { parseLiteral } from '../../fhir/references.ts';
import type { Store, StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';

/** The record that stands for one of ours that was merged here; itself when it is in use. */
export async function inUseFor(store: Pick<Store, 'read'>, one: StoredVersion): Promise<StoredVersion | undefined> {
  const next = ({ content }: StoredVersion) => parseLiteral(replacedBy(parseBody(content)) ?? '')?.id;
  if (next(one) === undefined) return one;
  const alive = async (id: string) => {
    const stored = await store.read('Patient', id);
    return stored && stored.operation !== 'delete' ? stored : undefined;
  };
  const id = await followChain(one.id, async (closed) => {
    const stored = await alive(closed);
    return stored && next(stored);
  });
  return id === undefined ? undefined : alive(id);
}
