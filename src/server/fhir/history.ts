// history of one resource, one type, or everything; newest first, deletions included.
// https://hl7.org/fhir/R4/http.html#history
import { decideFully } from '../../access/decide.ts';
import { Fault } from '../../fault.ts';
import { etagOf } from '../../fhir/etag.ts';
import { isId, type Pairs } from '../../fhir/request-url.ts';
import { type Subset, summaryIn } from '../../fhir/subset.ts';
import type { StoredVersion } from '../../store/store.ts';
import { bundleText, entryText, type Link } from './bundle-text.ts';
import type { Answer, FhirContext, FhirRequest } from './context.ts';
import { listedIn } from './listed.ts';
import { pastVersionsShown } from './past-versions.ts';
import { parsePrefer } from './prefer.ts';

const DEFAULT_COUNT = 50;
const MAX_COUNT = 1_000;
const KNOWN = ['_since', '_at', '_list', '_count', '_cursor', '_format', '_pretty', '_summary', '_elements'];
const METHODS = { create: 'POST', update: 'PUT', delete: 'DELETE' } as const;

export async function history(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const { grant, params, headers } = request;
  const { type, id } = params;
  const interaction = id !== undefined ? 'history-instance' : type !== undefined ? 'history-type' : 'history-system';
  const isShown =
    type !== undefined && id !== undefined
      ? await pastVersionsShown(context, grant, 'history-instance', { type, id })
      : decideFully(grant, interaction, type ?? '*');
  const pairs = knownIn(request.pairs, parsePrefer(headers.prefer).handling === 'strict');
  const one = (name: string) => pairs.find((pair) => pair[0] === name)?.[1];
  const [since, at, list, cursor] = [one('_since'), one('_at'), one('_list'), one('_cursor')];
  if (type !== undefined && id !== undefined && !(isId(id) && (await context.store.read(type, id)))) {
    throw new Fault('not-found', `There is no ${type} with this id.`);
  }
  const count = countIn(one('_count'));
  const page = await context.store.history({
    ...(type === undefined ? {} : { type }),
    ...(id === undefined ? {} : { id }),
    ...(since === undefined ? {} : { since }),
    ...(at === undefined ? {} : { at }),
    ...(list === undefined ? {} : { among: await listedIn(context, grant, list) }),
    ...(cursor === undefined ? {} : { cursor }),
    count: summaryIn(pairs) === 'count' ? 0 : count,
  });
  const applied = pairs.map(([name, value]) => [name, name === '_count' ? String(count) : value] as const);
  const url = (query: Pairs) => historyUrl([context.base(), type, id].filter(Boolean).join('/'), query);
  const links: Link[] = [{ relation: 'self', url: url(applied) }];
  if (page.next !== undefined) {
    links.push({ relation: 'next', url: url([...applied.filter(([n]) => n !== '_cursor'), ['_cursor', page.next]]) });
  }
  const subset = context.subset(pairs);
  const shown = isShown ? page.items.filter(({ content }) => isShown(content)) : page.items;
  const entries = shown.map((version) => historyEntry(context, version, subset));
  // How many versions there are that are not shown is nobody's business.
  const total = isShown ? undefined : page.total;
  return { status: 200, body: bundleText(context.clock, 'history', { total, links, entries }) };
}

/** @throws Fault invalid for a parameter that is not known, or is there twice, unless the client prefers leniency */
function knownIn(pairs: Pairs, strict: boolean): Pairs {
  const unknown = pairs.find(([name]) => !KNOWN.includes(name))?.[0];
  if (unknown !== undefined && strict) {
    throw new Fault('invalid', `History does not know the parameter ${unknown}.`, { code: 'not-supported' });
  }
  const known = pairs.filter(([name]) => KNOWN.includes(name));
  const twice = known.find(([name], index) => name !== '_elements' && known.findIndex(([n]) => n === name) !== index);
  if (!twice) return known;
  throw new Fault('invalid', `${twice[0]} may be given once.`, { code: 'value' });
}

/** Above the maximum the server's own page size applies, as R4 allows; the self link says so. @throws Fault invalid */
function countIn(text: string | undefined): number {
  if (text === undefined) return DEFAULT_COUNT;
  if (!/^\d{1,9}$/.test(text)) throw new Fault('invalid', '_count must be a whole number from 0.', { code: 'value' });
  return Math.min(Number(text), MAX_COUNT);
}

function historyEntry(context: FhirContext, version: StoredVersion, subset: Subset): string {
  const { type, id, operation, versionId } = version;
  const deleted = operation === 'delete';
  return entryText({
    fullUrl: `${context.base()}/${type}/${id}`,
    resource: deleted ? undefined : subset(version.content),
    request: { method: METHODS[operation], url: operation === 'create' ? type : `${type}/${id}` },
    response: {
      // The first version of a resource is a creation, also by PUT.
      status: versionId === '1' ? '201' : deleted ? '204' : '200',
      etag: etagOf(version.versionId),
      lastModified: version.lastUpdated,
    },
  });
}

function historyUrl(path: string, pairs: Pairs): string {
  const query = new URLSearchParams(pairs.map(([name, value]) => [name, value])).toString();
  return query === '' ? `${path}/_history` : `${path}/_history?${query}`;
}
