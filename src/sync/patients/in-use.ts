// The record that stands for one of ours that was merged away here: its own words say which. docs/sync-spec.md#I8
import { followChain, replacedBy } from '../../fhir/patient-merge.ts';
import { parseLiteral } from '../../fhir/references.ts';
import type { Store, StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';

/** The record in use; itself when it was not merged away, undefined when that one is gone or it goes round in a circle. */
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

const REPLACED = `SELECT id, content FROM resource WHERE type = 'Patient' AND content LIKE '%"replaced-by"%' AND id IN`;
/** More in a row than these are a circle or a fault. */
const LONGEST_CHAIN = 10;

/** Of those that were merged away: the id of the record in use. */
export async function inUseAmong(store: Pick<Store, 'query'>, ids: readonly string[]): Promise<Map<string, string>> {
  const next = new Map<string, string>();
  let asked = ids;
  for (let steps = 0; asked.length > 0 && steps <= LONGEST_CHAIN; steps += 1) {
    const rows = await store.query(`${REPLACED} (${asked.map(() => '?').join(', ')})`, asked);
    const found = rows.flatMap(({ id, content }) => {
      const other = parseLiteral(replacedBy(parseBody(String(content))) ?? '');
      return other?.type === 'Patient' ? [[String(id), other.id] as const] : [];
    });
    for (const [id, other] of found) next.set(id, other);
    asked = [...new Set(found.map(([, other]) => other))].filter((other) => !next.has(other));
  }
  const standing = new Map<string, string>();
  for (const id of ids.filter((one) => next.has(one))) {
    const last = await followChain(id, async (one) => next.get(one));
    if (last !== undefined) standing.set(id, last);
  }
  return standing;
}
