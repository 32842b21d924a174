// One FHIR request through Medplum's engine, with the HTTP around it that the engine leaves to its host: headers,
// links, status codes. https://hl7.org/fhir/R4/http.html
import { getStatus, isOk, normalizeOperationOutcome, OperationOutcomeError } from '@medplum/core';
import type { FhirRequest, FhirRouter } from '@medplum/fhir-router';
import type { Bundle, BundleEntry, OperationOutcome, Resource } from '@medplum/fhirtypes';
import type { FastifyRequest } from 'fastify';
import { httpDate } from '../../fhir/http-date.ts';
import { decideConditionalCreates } from './conditional-entries.ts';
import { plain, refused } from './outcomes.ts';
import type { JournaledRepository } from './repository.ts';
import { type PreparedSearch, pageLinks, prepareSearch } from './search-query.ts';
import { EHR_TYPES } from './vocabulary.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Resource | undefined;
}

export interface Engine {
  readonly router: FhirRouter;
  readonly repository: JournaledRepository;
  /** FHIR base URL, without trailing slash. */
  readonly base: string;
}

/** @param path what follows the FHIR base, query included */
export async function answerTo(engine: Engine, request: FastifyRequest, path: string): Promise<Answer> {
  try {
    return await work(engine, request, path);
  } catch (error) {
    return failed(normalizeOperationOutcome(error));
  }
}

async function work(engine: Engine, request: FastifyRequest, path: string): Promise<Answer> {
  const { router, repository, base } = engine;
  const [location = '', query = ''] = path.split(/\?(.*)/s);
  const segments = location.split('/').filter(Boolean);
  const [type, second] = segments;
  if (type !== undefined && !type.startsWith('_') && !EHR_TYPES.has(type)) {
    return { status: 404, headers: {}, body: plain('not-supported', `This server does not keep ${type}.`) };
  }
  if (segments.length === 0 && request.method === 'GET') {
    return { status: 400, headers: {}, body: plain('not-supported', 'Search one resource type at a time.') };
  }
  const search = searchOf(request, segments, query, base);
  const versionsBefore = repository.versionsOf(type, second).length;
  const [outcome, resource] = await repository.alone(
    async () => {
      const asked = engineRequest(request, search, location, query);
      if (segments.length === 0) asked.body = await decideConditionalCreates(asked.body, repository);
      return router.handleRequest(asked, repository);
    },
    ([result]) => isOk(result),
  );
  if (!isOk(outcome)) return failed(outcome);
  if (search && resource?.resourceType === 'Bundle')
    return { status: 200, headers: {}, body: page(resource, search, base) };
  if (resource?.resourceType === 'Bundle') return { status: 200, headers: {}, body: completed(resource, base) };
  if (!resource) return { status: request.method === 'DELETE' ? 204 : 200, headers: {}, body: undefined };
  const isNew = request.method === 'PUT' && second !== undefined && versionsBefore === 0;
  return answerWith(request, base, isNew ? 201 : getStatus(outcome), resource);
}

function searchOf(
  request: FastifyRequest,
  segments: readonly string[],
  query: string,
  base: string,
): PreparedSearch | undefined {
  const [type, second] = segments;
  const isGet = (request.method === 'GET' || request.method === 'HEAD') && segments.length === 1 && type !== '_history';
  const isPost = request.method === 'POST' && segments.length === 2 && second === '_search';
  if (type === undefined || (!isGet && !isPost)) return undefined;
  const pairs = [...new URLSearchParams(query), ...new URLSearchParams(isPost ? String(request.body ?? '') : '')];
  return prepareSearch(type, pairs, base);
}

/** A POSTed search becomes a GET, since the engine reads such bodies as JSON. */
function engineRequest(
  request: FastifyRequest,
  search: PreparedSearch | undefined,
  location: string,
  query: string,
): FhirRequest {
  const isRead = search !== undefined || request.method === 'HEAD';
  return {
    method: isRead ? 'GET' : (request.method as FhirRequest['method']),
    url: search?.url ?? (query ? `${location}?${query}` : location),
    pathname: '',
    params: {},
    query: {},
    body: isRead || !request.body ? undefined : parseJson(String(request.body)),
    headers: quoteIfMatch(request.headers),
    config: { transactions: true },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new OperationOutcomeError(refused('The body is not JSON.'));
  }
}

/** The engine ignores an If-Match without quotes, which would turn a guarded update into a blind one. */
function quoteIfMatch(headers: FastifyRequest['headers']): FastifyRequest['headers'] {
  const tag = headers['if-match'];
  return tag === undefined || tag.includes('"') ? headers : { ...headers, 'if-match': `W/"${tag}"` };
}

function answerWith(request: FastifyRequest, base: string, status: number, resource: Resource): Answer {
  const { versionId = '', lastUpdated } = resource.meta ?? {};
  const etag = `W/"${versionId}"`;
  const headers: Record<string, string> = { etag };
  if (lastUpdated) headers['last-modified'] = httpDate(Temporal.Instant.from(lastUpdated));
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (isRead && request.headers['if-none-match'] === etag) return { status: 304, headers, body: undefined };
  const url = `${base}/${resource.resourceType}/${resource.id}/_history/${versionId}`;
  if (request.method === 'POST' || status === 201) headers.location = url;
  if (!isRead) headers['content-location'] = url;
  const minimal = !isRead && /return=minimal/.test(String(request.headers.prefer ?? ''));
  return { status, headers, body: minimal ? undefined : resource };
}

function failed(outcome: OperationOutcome): Answer {
  const { id: _, ...body } = outcome;
  return { status: getStatus(outcome), headers: {}, body };
}

const fullUrl = (base: string, resource: Resource) => `${base}/${resource.resourceType}/${resource.id}`;

function page(bundle: Bundle, search: PreparedSearch, base: string): Bundle {
  const entry = bundle.entry?.map((each) => ({ fullUrl: each.resource && fullUrl(base, each.resource), ...each }));
  const { resourceType, type, total = 0 } = bundle;
  return { resourceType, type, total, link: pageLinks(search, base, total), ...(entry?.length ? { entry } : {}) };
}

/** Full URLs for history; location, ETag and time for what a batch or transaction did. */
function completed(bundle: Bundle, base: string): Bundle {
  const complete = (entry: BundleEntry): BundleEntry => {
    const { resource } = entry;
    if (!resource) return entry;
    if (bundle.type === 'history') return { fullUrl: fullUrl(base, resource), ...entry };
    const { versionId, lastUpdated } = resource.meta ?? {};
    if (!versionId) return entry;
    const location = `${resource.resourceType}/${resource.id}/_history/${versionId}`;
    const response = {
      status: '200',
      ...entry.response,
      location,
      etag: `W/"${versionId}"`,
      lastModified: lastUpdated,
    };
    return { ...entry, fullUrl: fullUrl(base, resource), response };
  };
  return { ...bundle, ...(bundle.entry ? { entry: bundle.entry.map(complete) } : {}) };
}
