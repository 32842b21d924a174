// A merge that the server took back, of whose record a person says that it is not the one of ours that had it: somebody else has it.
// What names it there went on here to whoever stood for ours; that is an edit from then on. docs/patient-matching.md#merges-there
import { isJsonObject, type JsonObject } from '../../fhir/canonical-json.ts';
import { collectPlaced, LITERAL_ENDS, type PlacedReference, parseLiteral } from '../../fhir/references.ts';
import type { Statement, Store } from '../../store/store.ts';
import { parseBody, resourceOf } from '../body.ts';
import { places } from '../identity.ts';
import { isLive } from '../identity-row.ts';
import { meansAnother } from '../let-go.ts';
import { mapReferences } from '../mapping.ts';
import type { Meant } from '../meant.ts';
import { mark } from '../push/outbox.ts';

/** A patient's record there. */
interface Record {
  readonly connection: string;
  readonly remoteId: string;
}

/** Something linked that names it there. */
interface Naming {
  readonly type: string;
  readonly localId: string;
  readonly baseLocal: JsonObject;
  readonly baseRemote: JsonObject;
}

const NAMING = `SELECT type, local_id, base_local, base_remote FROM identity WHERE connection = ? AND ${isLive()}
  AND type <> 'Patient' AND how <> 'projected' AND base_local IS NOT NULL AND (base_remote LIKE ? OR base_remote LIKE ?)`;
const REMEMBER = `INSERT INTO identity (connection, type, local_id, remote_id, state, how, at)
  VALUES (?, 'Patient', ?, ?, 'replaced', 'merged', ?)`;

/**
 * For the commit of the answer: it is remembered whom the record meant in the common versions, and what names it goes there
 * with whoever that is.
 * @param to whose record it is by that answer; undefined when it is nobody's here yet
 * @param now epoch milliseconds of the machine's clock
 */
export async function letGoTakenBack(
  store: Pick<Store, 'query' | 'head'>,
  record: Record,
  to: string | undefined,
  now: number,
): Promise<Statement[]> {
  const { connection, remoteId } = record;
  const statements: Statement[] = [];
  const remembered = new Set<string>();
  const head = await store.head();
  for (const naming of await allNaming(store, record)) {
    const localId = await meantIn(store, record, naming);
    if (localId === undefined) continue;
    statements.push(mark(connection, naming.type, naming.localId, head, now));
    if (remembered.has(localId)) continue;
    remembered.add(localId);
    statements.push({ sql: REMEMBER, params: [connection, localId, remoteId, now] });
    const meant: Meant = { connection, type: 'Patient', localId, remoteId, isAlias: false, before: [] };
    if (to !== undefined) statements.push(...(await meansAnother(store, meant, to, now)));
  }
  return statements;
}

async function allNaming(store: Pick<Store, 'query'>, { connection, remoteId }: Record): Promise<Naming[]> {
  const ends = LITERAL_ENDS.map((end) => `%Patient/${remoteId}${end}%`);
  const rows = await store.query(NAMING, [connection, ...ends]);
  return rows.map((row) => ({
    type: String(row.type),
    localId: String(row.local_id),
    baseLocal: parseBody(String(row.base_local)),
    baseRemote: parseBody(String(row.base_remote)),
  }));
}

/**
 * Whom of ours it meant where it stands; undefined when nobody, or when that cannot be told, because others who may be meant
 * stand in the same list.
 */
async function meantIn(
  store: Pick<Store, 'query'>,
  { connection, remoteId }: Record,
  { baseLocal, baseRemote }: Naming,
): Promise<string | undefined> {
  const named = knownThere(baseLocal, baseRemote);
  const where = new Set(named.flatMap(({ place, id }) => (id === remoteId ? [place] : [])));
  const beside = ({ place, id }: Named) => (where.has(place) && id !== remoteId ? [id] : []);
  const others = new Set(named.flatMap(beside));
  const inPlace = namedIn(baseLocal).flatMap(({ place, reference }) => (where.has(place) ? idOf(reference) : []));
  const ours = [...new Set(inPlace)];
  if (ours.length === 0) return undefined;
  const sql = `SELECT local_id, remote_id FROM identity WHERE connection = ? AND type = 'Patient'
    AND local_id IN (${places(ours)})`;
  const rows = await store.query(sql, [connection, ...ours]);
  const isNamedElse = (id: string) =>
    rows.some(({ local_id, remote_id }) => local_id === id && others.has(String(remote_id)));
  const logical = identifiersNamed(baseRemote);
  const [meant, another] = ours.filter((id) => !isNamedElse(id) && !logical.has(id));
  return another === undefined ? meant : undefined;
}

interface Named {
  readonly place: string;
  readonly id: string;
}

/** A patient by a whole URL, up to the literal. */
const BASE = /^https?:\/\/.*\/(?=Patient\/)/;

/** Whom the body there names that was known here; whom ours names by a URL was not, or is of another server. */
function knownThere(local: JsonObject, remote: JsonObject): Named[] {
  const named = namedIn(remote);
  const urls = new Set(namedIn(local).flatMap(({ reference }) => (BASE.test(reference) ? [reference] : [])));
  const alike = new Set(named.map(({ reference }) => reference));
  const ofLiterals = [...urls].filter((url) => !alike.has(url));
  const isUnknown = (reference: string) =>
    urls.has(reference) || ofLiterals.some((url) => url.endsWith(`/${reference}`));
  return named.flatMap(({ place, reference }) =>
    isUnknown(reference) ? [] : idOf(reference.replace(BASE, '')).map((id) => ({ place, id })),
  );
}

function namedIn(body: JsonObject): PlacedReference[] {
  return collectPlaced(resourceOf(body));
}

function idOf(reference: string): string[] {
  const target = parseLiteral(reference);
  return target?.type === 'Patient' ? [target.id] : [];
}

/** What references without a literal name, in whatever system. */
function identifiersNamed(body: JsonObject): Set<string> {
  const found = new Set<string>();
  mapReferences(body, (reference) => {
    const { identifier } = reference;
    const isLogical = reference.reference === undefined && isJsonObject(identifier);
    if (isLogical && typeof identifier.value === 'string') found.add(identifier.value);
    return reference;
  });
  return found;
}
