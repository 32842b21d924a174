// search: over a type, over all types, and within a patient's compartment; GET and POST. Answers a searchset Bundle put
// together from stored text. https://hl7.org/fhir/R4/http.html#search
import { reachesAll, reachesSome } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import { Fault } from '../../fault.ts';
import { isId, type Pairs } from '../../fhir/request-url.ts';
import { compartmentCondition } from '../../fhir/search/compartment.ts';
import { parseSearch } from '../../fhir/search/parse.ts';
import type { Condition, SearchQuery } from '../../fhir/search/query.ts';
import { summaryIn } from '../../fhir/subset.ts';
import type { StoredVersion } from '../../store/store.ts';
import { refuseTrailAmongTypes } from './audit-events.ts';
import { bundleText, entryText, type Link } from './bundle-text.ts';
import type { Answer, FhirContext, FhirRequest } from './context.ts';
import { narrow, narrowChains, readableIncludes, unreadableIncludes } from './narrow.ts';
import { type Prefer, parsePrefer } from './prefer.ts';
import { reachOf, reachOfTypes } from './reach.ts';
import { searchAll } from './search-all.ts';
import { searchOptions } from './search-options.ts';
import { withStoredTokenSets } from './stored-token-sets.ts';
import { noticeOfWithheld } from './withheld.ts';

export async function search(context: FhirContext, { grant, params, pairs, headers }: FhirRequest): Promise<Answer> {
  const { target, id, type } = params;
  if (type === undefined) refuseTrailAmongTypes(pairs);
  const asked = target === undefined ? { type, pairs } : { type: target, patient: id, pairs };
  return { status: 200, body: await searchBundle(context, grant, asked, parsePrefer(headers.prefer).handling) };
}

export interface SearchAsked {
  /** Absent for a search over all types. */
  readonly type?: string | undefined;
  /** Only within this patient's compartment. */
  readonly patient?: string | undefined;
  readonly pairs: Pairs;
}

/**
 * @returns the Bundle as JSON text
 * @throws Fault invalid | forbidden
 */
async function searchBundle(
  context: FhirContext,
  grant: Grant,
  asked: SearchAsked,
  handling: Prefer['handling'],
): Promise<string> {
  const told = await withStoredTokenSets(context, grant, asked.pairs);
  const query = planSearch(told, grant, asked, handling);
  const path = [asked.patient === undefined ? [] : ['Patient', asked.patient], asked.type ?? []].flat().join('/');
  const whose = { ...asked, pairs: asked.pairs.filter(([name]) => SAYS_WHOSE.test(name)) };
  const notice = await noticeOfWithheld(context, grant, query.type, (unbound) => {
    const { conditions, compartment } = planSearch(told, unbound, whose, handling);
    return compartment
      ? [...conditions, compartmentCondition(context.parameters, query.type, compartment.id)]
      : conditions;
  });
  return answerSearch(context, grant, { query, path, pairs: asked.pairs, notice });
}

/** Other criteria are about content: whether they match what is withheld would tell what that says. */
const SAYS_WHOSE = /^(?:_id|_type|(?:patient|subject)(?::Patient)?)$/;

export interface PlannedSearch {
  readonly query: SearchQuery;
  /** Below the FHIR base, for the links. */
  readonly path: string;
  /** As the client sent them: they say how the answer is presented. */
  readonly pairs: Pairs;
  /** A sentence for the person who asks about what is not there. */
  readonly notice?: string | undefined;
}

/** Runs a search that has been planned within the grant; returns the page as a searchset, JSON text. */
export async function answerSearch(
  context: FhirContext,
  grant: Grant,
  { query, path, pairs, notice }: PlannedSearch,
): Promise<string> {
  const result = await searchAll(context, query);
  const subset = context.subset(pairs);
  const url = (given: Pairs) => searchUrl(`${context.base()}${path && `/${path}`}`, given);
  const links: Link[] = [{ relation: 'self', url: url(query.applied) }];
  if (result.next !== undefined) {
    const again = query.applied.filter(([name]) => name !== CURSOR);
    links.push({ relation: 'next', url: url([...again, [CURSOR, result.next]]) });
  }
  // The store has narrowed them; that nothing of a type without any right gets out does not hang on it alone.
  const readable = (version: StoredVersion) => reachesSome(grant, 'read', version.type);
  const included = query.includes.length === 0 ? [] : result.included.filter(readable);
  const entries = [
    ...result.items.map((version) => matchEntry(context, version, subset(version.content), 'match')),
    ...included.map((version) => matchEntry(context, version, subset(version.content, true), 'include')),
    ...(query.ignored.length > 0 ? [ignoredEntry(query.ignored)] : []),
    ...(result.warnings?.map(warningEntry) ?? []),
    ...(notice === undefined ? [] : [outcomeEntry('suppressed', [notice])]),
  ];
  return bundleText(context.clock, 'searchset', { total: result.total, links, entries });
}

/** Name of the parameter that carries a page's position in `next` links. */
const CURSOR = '_cursor';

/**
 * What will be searched, within what the grant reaches; nothing is searched yet.
 * @throws Fault invalid | forbidden | not-found
 */
export function planSearch(
  context: FhirContext,
  grant: Grant,
  asked: SearchAsked,
  handling: Prefer['handling'],
): SearchQuery {
  const { type, patient, pairs } = asked;
  if (patient !== undefined && !isId(patient)) throw new Fault('not-found', 'There is no such patient.');
  const reach = authorize(context, grant, type, pairs);
  const parsed = parseSearch(context.parameters, type, pairs, searchOptions(context, handling));
  const conditions = narrowChains(context, grant, parsed.conditions);
  const [unreadable] = unreadableIncludes(context, grant, parsed.includes);
  if (unreadable !== undefined && handling === 'strict') throw mayNotInclude(unreadable);
  const summary = summaryIn(pairs);
  if (summary === 'text' && parsed.includes.length > 0 && handling === 'strict') throw textWithIncludes();
  const readable = { ...parsed, conditions, includes: readableIncludes(context, grant, parsed.includes) };
  const counted = summary === 'count' ? ({ ...readable, count: 0, total: 'accurate' } as const) : readable;
  const within =
    patient === undefined ? counted : { ...counted, compartment: { type: 'Patient', id: patient } as const };
  return reach ? narrow(within, reach) : within;
}

function authorize(context: FhirContext, grant: Grant, type: string | undefined, pairs: Pairs): Condition | undefined {
  if (type !== undefined) return reachOf(context, grant, 'search-type', type);
  const types = pairs.filter(([name]) => name === '_type').flatMap(([, value]) => value.split(','));
  if (types.length === 0 || !types.every((each) => reachesSome(grant, 'search-system', each))) {
    return reachOf(context, grant, 'search-system', undefined);
  }
  if (types.every((each) => reachesAll(grant, 'search-system', each))) return undefined;
  return reachOfTypes(context, grant, 'search-system', types);
}

/** https://hl7.org/fhir/R4/search.html#summary */
function textWithIncludes(): Fault {
  return new Fault('invalid', '_include and _revinclude cannot be used with _summary=text.', { code: 'not-supported' });
}

function mayNotInclude(type: string): Fault {
  const which = type === '*' ? 'resources of any type' : `${type} resources`;
  return new Fault(
    'forbidden',
    `The search includes ${which}, and the token may not read those. Name a target type, e.g. ` +
      '_include=Task:patient:Patient, or send Prefer: handling=lenient to leave out what the token may not read.',
    { context: { scope: `system/${type}.r` } },
  );
}

function matchEntry(context: FhirContext, version: StoredVersion, content: string, mode: 'match' | 'include'): string {
  return entryText({
    fullUrl: `${context.base()}/${version.type}/${version.id}`,
    resource: content,
    search: { mode },
  });
}

/** https://hl7.org/fhir/R4/search.html#errors: what was ignored is said in the Bundle. */
function ignoredEntry(names: readonly string[]): string {
  return outcomeEntry(
    'not-supported',
    names.map((name) => `The parameter ${name} is not known here and was ignored.`),
  );
}

/** The page is not all that was asked for. */
function warningEntry(text: string): string {
  return outcomeEntry('incomplete', [text]);
}

function outcomeEntry(code: string, texts: readonly string[]): string {
  const issue = texts.map((text) => ({ severity: 'warning', code, details: { text } }));
  const resource = JSON.stringify({ resourceType: 'OperationOutcome', issue });
  return entryText({ resource, search: { mode: 'outcome' } });
}

function searchUrl(path: string, pairs: Pairs): string {
  const query = new URLSearchParams(pairs.map(([name, value]) => [name, value])).toString();
  return query === '' ? path : `${path}?${query}`;
}
