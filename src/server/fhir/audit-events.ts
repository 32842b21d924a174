// AuditEvent: read and searched like other types, but answered from the audit trail, which only Baton itself writes.
// https://hl7.org/fhir/R4/auditevent.html
import type { CapabilityStatementRestResource } from '@medplum/fhirtypes';
import { decide, type Interaction } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import { isWide, type Lane } from '../../access/narrowing.ts';
import { auditEventOf } from '../../audit/audit-event.ts';
import { AUDIT_PARAMETERS, cursorAfter, parseAuditQuery } from '../../audit/audit-query.ts';
import { Fault } from '../../fault.ts';
import { isId, type Pairs } from '../../fhir/request-url.ts';
import { withheldCondition } from '../../fhir/search/withheld.ts';
import { summaryIn } from '../../fhir/subset.ts';
import { type AuditRow, type AuditTest, countAudit, readAudit, searchAudit } from '../../store/audit-search.ts';
import { versionHeaders } from './answer.ts';
import { bundleText, entryText, type Link } from './bundle-text.ts';
import type { Answer, FhirContext, FhirHandler, FhirRequest } from './context.ts';
import { parsePrefer } from './prefer.ts';

const TYPE = 'AuditEvent';

/** Whether a path is about AuditEvents: `AuditEvent/12`, `Patient/1/AuditEvent`. */
export function isAboutTrail({ type, target }: Readonly<Record<string, string | undefined>>): boolean {
  return (target ?? type) === TYPE;
}

/** `handler` for all other types, `own` for AuditEvent. */
export function besideTrail(handler: FhirHandler, own: FhirHandler): FhirHandler {
  return (context, request) => (isAboutTrail(request.params) ? own(context, request) : handler(context, request));
}

/** @throws Fault not-allowed, always */
export async function refuseOnTrail(): Promise<never> {
  throw notAllowed();
}

/** @throws Fault not-allowed when a change is about AuditEvents */
export function refuseTrailChange(type: string): void {
  if (type === TYPE) throw notAllowed();
}

function notAllowed(): Fault {
  return new Fault(
    'not-allowed',
    'AuditEvents are the trail that Baton keeps itself: they can be read and searched, and they are not created, changed, ' +
      'deleted or versioned by anybody.',
  );
}

export async function readAuditEvent(context: FhirContext, { grant, params, pairs }: FhirRequest): Promise<Answer> {
  const { id = '' } = params;
  const { patient } = reachOf(grant, 'read');
  const row = /^[1-9]\d{0,14}$/.test(id) ? await readAudit(context.store, Number(id)) : undefined;
  const isOutside = patient !== undefined && !row?.patients.includes(patient);
  if (!row || isOutside || (await isLogWithheld(context, grant, patient))) {
    throw new Fault('not-found', isId(id) ? `There is no ${TYPE}/${id}.` : `${TYPE} has no resource with this id.`);
  }
  const event = auditEventOf(row, { base: context.base(), patient });
  const lastUpdated = event.meta?.lastUpdated ?? '';
  const body = context.subset(pairs)(JSON.stringify(event));
  return { status: 200, headers: versionHeaders({ versionId: '1', lastUpdated }), body, lastUpdated };
}

export async function searchAuditEvents(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const { grant, params, pairs, headers } = request;
  const { store } = context;
  const { patient } = reachOf(grant, 'search-type');
  const inCompartment = params.target === undefined ? undefined : (params.id ?? '');
  if (inCompartment !== undefined && !isId(inCompartment)) throw new Fault('not-found', 'There is no such patient.');
  const { handling } = parsePrefer(headers.prefer);
  const query = parseAuditQuery(pairs, { handling, base: context.base() });
  const within = [patient, inCompartment].filter((one) => one !== undefined);
  // That a record of one patient names another one, too, is not for the first to find out.
  const others = [...query.patients, ...within].some((one) => one !== patient);
  if ((patient !== undefined && others) || (await isLogWithheld(context, grant, patient))) within.push('');
  const tests: AuditTest[] = [...query.tests, ...within.map((one) => ({ patients: [one] }))];
  const isCount = summaryIn(pairs) === 'count' || query.count === 0;
  const found = isCount ? [] : await searchAudit(store, { ...query, tests });
  const page = found.slice(0, query.count);
  const last = found.length > query.count ? page.at(-1) : undefined;
  const path = inCompartment === undefined ? TYPE : `Patient/${inCompartment}/${TYPE}`;
  const subset = context.subset(pairs);
  const entryOf = (row: AuditRow) =>
    entryText({
      fullUrl: `${context.base()}/${TYPE}/${row.sequence}`,
      resource: subset(JSON.stringify(auditEventOf(row, { base: context.base(), patient }))),
      search: { mode: 'match' },
    });
  const text = bundleText(context.clock, 'searchset', {
    total: isCount || query.total ? await countAudit(store, tests) : undefined,
    links: linksOf(`${context.base()}/${path}`, query.applied, last),
    entries: [...page.map(entryOf), ...ignoredEntries(query.ignored)],
  });
  return { status: 200, body: text };
}

/** A search over several types goes through the index, where AuditEvents are not. @throws Fault invalid */
export function refuseTrailAmongTypes(pairs: Pairs): void {
  const named = pairs.filter(([name]) => name === '_type').flatMap(([, value]) => value.split(','));
  if (!named.includes(TYPE)) return;
  throw new Fault('invalid', `AuditEvents are searched by themselves: GET ${TYPE}?…, not together with other types.`, {
    code: 'not-supported',
  });
}

/** What is declared of AuditEvent in the CapabilityStatement. */
export const AUDIT_EVENT_CAPABILITY: CapabilityStatementRestResource = {
  type: TYPE,
  documentation: "Baton's own audit trail: who did what, when, from where and to whose record.",
  interaction: [{ code: 'read' }, { code: 'search-type' }],
  versioning: 'no-version',
  readHistory: false,
  updateCreate: false,
  conditionalCreate: false,
  conditionalUpdate: false,
  conditionalDelete: 'not-supported',
  searchParam: Object.entries(AUDIT_PARAMETERS).map(([name, { type }]) => ({
    name,
    definition: `http://hl7.org/fhir/SearchParameter/${name.startsWith('_') ? `Resource-${name.slice(1)}` : `AuditEvent-${name}`}`,
    type: type as 'token',
  })),
};

/** How much of the trail a grant reaches: all of it, or what is about one patient. @throws Fault forbidden */
function reachOf(grant: Grant, interaction: Interaction): { readonly patient?: string } {
  const lanes = decide(grant, interaction, TYPE)?.lanes ?? [];
  if (lanes.length === 0 || lanes.some(isWide)) return {};
  const [patient, ...others] = new Set(lanes.flatMap(patientOf));
  if (patient !== undefined && others.length === 0) return { patient };
  throw new Fault(
    'forbidden',
    'The trail is read as a whole or by one patient; the constraint of a scope, or a role that reaches several patients, ' +
      'cannot be applied to it.',
  );
}

/** The log of a patient is part of the record: who is kept from the patient by a consent is kept from it. */
async function isLogWithheld(context: FhirContext, { asker }: Grant, patient: string | undefined): Promise<boolean> {
  if (!asker || patient === undefined) return false;
  const condition = withheldCondition(context.parameters, 'Patient', asker, context.labelPolicy);
  return (await context.store.withholding('Patient', patient, condition)).withheld;
}

/** The one patient whom a lane is about; none when it goes by anything else. */
function patientOf({ patient, constraint, role }: Lane): string[] {
  if (constraint.length > 0 || role?.matching) return [];
  const named = role?.patients?.map((set) => /^Patient\?_id=([A-Za-z0-9\-.]+)$/.exec(set)?.[1]);
  if (named === undefined) return patient === undefined ? [] : [patient];
  return named.flatMap((one) => (one !== undefined && (patient === undefined || patient === one) ? [one] : []));
}

function linksOf(url: string, applied: Pairs, last: AuditRow | undefined): Link[] {
  const withQuery = (pairs: Pairs) => {
    const query = new URLSearchParams(pairs.map(([name, value]) => [name, value])).toString();
    return query === '' ? url : `${url}?${query}`;
  };
  const links: Link[] = [{ relation: 'self', url: withQuery(applied) }];
  if (last) {
    const again = applied.filter(([name]) => name !== '_cursor');
    links.push({ relation: 'next', url: withQuery([...again, ['_cursor', cursorAfter(last)]]) });
  }
  return links;
}

function ignoredEntries(names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const issue = names.map((name) => ({
    severity: 'warning',
    code: 'not-supported',
    details: { text: `The parameter ${name} is not known here and was ignored.` },
  }));
  const resource = JSON.stringify({ resourceType: 'OperationOutcome', issue });
  return [entryText({ resource, search: { mode: 'outcome' } })];
}
