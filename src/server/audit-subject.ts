// What a request is about, for its line in the audit trail: resource, query, and the patients that it names. Whose resource a
// read has shown is found later, for many records at once (store/audit-patients.ts).
import type { Grant } from '../access/grant.ts';
import { isId, type Pairs } from '../fhir/request-url.ts';
import type { AuditRecord } from '../store/store.ts';

export interface Asked {
  /** Path parameters of the route. */
  readonly params: Readonly<Record<string, string | undefined>>;
  /** Criteria, from the URL and from the form. */
  readonly pairs: Pairs;
  /** The same as they were sent. */
  readonly query: string;
  readonly grant: Grant | undefined;
  /** Of the answer. */
  readonly etag: string | undefined;
}

/** A search that names more patients than this is about no patient in particular. */
const MOST_PATIENTS = 20;
const MOST_QUERY = 4_000;

export function subjectOf({ params, pairs, query: sent, grant, etag }: Asked): Partial<AuditRecord> {
  const { type, id, target } = params;
  const isCompartment = target !== undefined;
  const compartment = isCompartment ? `_compartment=${type}/${id}` : '';
  const query = compartment !== '' && sent !== '' ? `${compartment}&${sent}` : compartment + sent;
  const version = versionOf(etag);
  return {
    ...(type === undefined ? {} : { type: clip(target ?? type) }),
    ...(id === undefined || isCompartment ? patientsOf(params, pairs, grant) : { id: clip(id) }),
    ...(version === undefined ? {} : { version }),
    ...(query === '' ? {} : { query: query.slice(0, MOST_QUERY) }),
  };
}

function patientsOf(
  { type, id, target }: Asked['params'],
  pairs: Pairs,
  grant: Grant | undefined,
): Pick<AuditRecord, 'patients'> {
  const named = new Set(target !== undefined && id !== undefined && isId(id) ? [id] : []);
  for (const [name, value] of pairs) {
    // Chains and reverse chains speak of other resources.
    if (name.includes('.') || name.startsWith('_has:')) continue;
    const isPatient = /^(?:patient|[a-z-]+:Patient)$/.test(name) || (name === '_id' && type === 'Patient');
    for (const one of value.split(',')) {
      const found = /(?:^|\/)Patient\/([^/]+)$/.exec(one)?.[1] ?? (isPatient ? one : undefined);
      if (found !== undefined && isId(found)) named.add(found);
    }
  }
  if (named.size === 0 && grant?.patient !== undefined && reachesOnePatient(grant)) named.add(grant.patient);
  return { patients: named.size > MOST_PATIENTS ? [] : [...named] };
}

const reachesOnePatient = ({ scopes }: Grant) =>
  scopes.resources.length > 0 && scopes.resources.every(({ level }) => level === 'patient');

/** Pairs as a query string. */
export function queryText(pairs: Pairs): string {
  return new URLSearchParams(pairs.map(([name, value]) => [name, value])).toString();
}

function versionOf(etag: string | undefined): number | undefined {
  const digits = etag === undefined ? undefined : /^W\/"([1-9]\d{0,14})(?:-[0-9a-f]{8})?"$/.exec(etag)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Paths are the client's to choose; the trail does not grow with them. */
const clip = (text: string) => text.slice(0, 128);
