// The record that stands for one of ours that was merged away here: its own words say which. docs/sync-spec.md#I8
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { followChain, LONGEST_CHAIN, replacedBy } from '../../fhir/patient-merge.ts';
import { parseLiteral } from '../../fhir/references.ts';
import type { Store, StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';

/** The record in use; itself when it was not merged away, undefined when that one is gone or it goes round in a circle. */
export async function inUseFor(
  store: Pick<Store, 'read' | 'query'>,
  one: StoredVersion,
): Promise<StoredVersion | undefined> {
  if (successorOf(one.content) === undefined) return one;
  const id = (await inUseAmong(store, [one.id])).get(one.id);
  const stored = id === undefined ? undefined : await store.read('Patient', id);
  return stored && stored.operation !== 'delete' ? stored : undefined;
}

/**
 * Everybody who stands for one who was merged away, nearest first; nobody when it goes round in a circle.
 * @param body what it says itself
 */
export async function standingFor(store: Pick<Store, 'read'>, id: string, body: JsonObject): Promise<string[]> {
  const found: string[] = [];
  let next = successorIn(body);
  while (next !== undefined) {
    if (next === id || found.includes(next) || found.length === LONGEST_CHAIN) return [];
    found.push(next);
    const stored = await store.read('Patient', next);
    next = stored && stored.operation !== 'delete' ? successorOf(stored.content) : undefined;
  }
  return found;
}

/** Whether one, by what it would say, is replaced by itself, by way of whoever that one was merged into. */
export async function isInCircle(store: Pick<Store, 'read'>, id: string, body: JsonObject): Promise<boolean> {
  if (body.resourceType !== 'Patient' || successorIn(body) === undefined) return false;
  return (await standingFor(store, id, body)).length === 0;
}

/** Said to whoever would write that. */
export const CIRCLE = 'The patient would be closed in favour of themselves.';

const REPLACED = `SELECT id, content FROM resource WHERE type = 'Patient' AND content LIKE '%"replaced-by"%' AND id IN`;
const PRESENT = `SELECT id FROM resource WHERE type = 'Patient' AND deleted = 0 AND id IN`;

/** Of those that were merged away: the id of the record in use, where that one is still here. */
export async function inUseAmong(store: Pick<Store, 'query'>, ids: readonly string[]): Promise<Map<string, string>> {
  const rowsOf = (sql: string, some: readonly string[]) =>
    store.query(`${sql} (${some.map(() => '?').join(', ')})`, some);
  const next = new Map<string, string>();
  let asked = ids;
  for (let steps = 0; asked.length > 0 && steps <= LONGEST_CHAIN; steps += 1) {
    const found: string[] = [];
    for (const { id, content } of await rowsOf(REPLACED, asked)) {
      const successor = successorOf(String(content));
      if (successor === undefined) continue;
      next.set(String(id), successor);
      found.push(successor);
    }
    asked = [...new Set(found)].filter((id) => !next.has(id));
  }
  const standing = new Map<string, string>();
  for (const id of ids.filter((one) => next.has(one))) {
    const last = await followChain(id, async (one) => next.get(one));
    if (last !== undefined) standing.set(id, last);
  }
  if (standing.size === 0) return standing;
  const present = new Set((await rowsOf(PRESENT, [...new Set(standing.values())])).map(({ id }) => String(id)));
  return new Map([...standing].filter(([, last]) => present.has(last)));
}

function successorOf(content: string): string | undefined {
  return successorIn(parseBody(content));
}

function successorIn(body: JsonObject): string | undefined {
  const other = parseLiteral(replacedBy(body) ?? '');
  return other?.type === 'Patient' ? other.id : undefined;
}
