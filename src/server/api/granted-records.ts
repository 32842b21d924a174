// The resources that a request's grant reaches, for commands and views. Reads and searches are narrowed exactly as those of
// /fhir/R4 are; nothing is filtered out of what was found.
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { reachesSome } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import type { Kept, PagedRecords, SearchFor } from '../../care/records.ts';
import { idOf } from '../../care/stored.ts';
import { Fault } from '../../fault.ts';
import { parseExact } from '../../fhir/exact-json.ts';
import type { Pairs } from '../../fhir/request-url.ts';
import type { StoredVersion } from '../../store/store.ts';
import type { FhirContext } from '../fhir/context.ts';
import { readCurrent } from '../fhir/read.ts';
import { planSearch } from '../fhir/search.ts';
import { withStoredTokenSets } from '../fhir/stored-token-sets.ts';
import { readVersion } from '../fhir/vread.ts';

/** More than this is not held in memory for one request. */
const MOST_FOUND = 5_000;
const PAGE = 1_000;

/** One version that is shown although there may be newer ones. */
export interface Pinned {
  readonly type: string;
  readonly id: string;
  readonly version: string;
}

export interface GrantedRecords extends PagedRecords {
  /** Ids of the patients whose resources were read, for the audit trail. */
  readonly patients: ReadonlySet<string>;
}

export function grantedRecords(context: FhirContext, grant: Grant, pinned?: Pinned): GrantedRecords {
  const patients = new Set<string>();

  function kept<K extends ResourceType>(version: StoredVersion): Kept<K> {
    const resource = parseExact<Kept<K>>(version.content);
    const patient = patientOf(resource as Resource);
    if (patient !== undefined) patients.add(patient);
    return resource;
  }

  async function plan(type: ResourceType, search: SearchFor, more: Pairs) {
    const pairs: Pairs = [...pairsOf(search), ...more];
    const told = await withStoredTokenSets(context, grant, pairs);
    return planSearch(told, grant, { type, pairs }, 'strict');
  }

  async function page<K extends ResourceType>(
    type: K,
    search: SearchFor,
    { most, after }: { readonly most: number; readonly after?: string | undefined },
  ) {
    const query = await plan(type, search, [['_count', String(most)]]);
    const found =
      after === undefined
        ? await context.store.search(query)
        : await context.store.search({ ...query, cursor: after }).catch(refuseAfter);
    const items = found.items.map((version) => kept<K>(version));
    return found.next === undefined ? { items } : { items, next: found.next };
  }

  async function seen<K extends ResourceType>(
    how: 'read' | 'vread',
    type: K,
    find: () => Promise<StoredVersion>,
  ): Promise<Kept<K> | undefined> {
    if (!reachesSome(grant, how, type)) return undefined;
    try {
      return kept<K>(await find());
    } catch (error) {
      if (error instanceof Fault && HIDDEN.has(error.kind)) return undefined;
      throw error;
    }
  }

  return {
    patients,
    async read<K extends ResourceType>(type: K, id: string) {
      const isPinned = pinned?.type === type && pinned.id === id;
      return isPinned
        ? seen<K>('read', type, () => readVersion(context, grant, { type, id, versionId: pinned.version }))
        : seen<K>('read', type, () => readCurrent(context, grant, type, id));
    },
    version: <K extends ResourceType>(type: K, id: string, versionId: string) =>
      seen<K>('vread', type, () => readVersion(context, grant, { type, id, versionId })),
    async find<K extends ResourceType>(type: K, search: SearchFor) {
      const all: Kept<K>[] = [];
      let after: string | undefined;
      do {
        const { items, next } = await page(type, search, { most: PAGE, after });
        all.push(...items);
        if (all.length > MOST_FOUND || (next !== undefined && all.length === MOST_FOUND)) throw tooMany(type);
        after = next;
      } while (after !== undefined);
      return all;
    },
    page,
    async count(type, search) {
      const query = await plan(type, search, [['_summary', 'count']]);
      return (await context.store.search(query)).total ?? 0;
    },
  };
}

/** The place in a list has another name here than in FHIR. @throws Fault */
function refuseAfter(error: unknown): never {
  const isPlace = error instanceof Fault && error.issues.some(({ expression }) => expression?.[0] === '_cursor');
  if (!isPlace) throw error;
  throw new Fault('invalid', 'after is `next` of an earlier page of the same list.', {
    expression: 'after',
    cause: error,
  });
}

const HIDDEN: ReadonlySet<string> = new Set(['not-found', 'gone', 'forbidden']);

function pairsOf(search: SearchFor): Pairs {
  return Object.entries(search).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : value.map((each) => [name, each] as const),
  );
}

/** Whom the resource is about, where it says so in one of the usual elements. */
function patientOf(resource: Resource): string | undefined {
  if (resource.resourceType === 'Patient') return resource.id;
  const { subject, patient, for: whose } = resource as Partial<Record<'subject' | 'patient' | 'for', object>>;
  return idOf(subject ?? patient ?? whose, 'Patient');
}

function tooMany(type: string): Fault {
  return new Fault('too-large', `More than ${MOST_FOUND} ${type} resources match; ask for less at once.`);
}
