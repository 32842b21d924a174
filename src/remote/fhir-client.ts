// The FHIR interactions with one external server. Reads are repeated when that can help; writes never, because only the
// caller knows how to find out what became of one. https://hl7.org/fhir/R4/http.html
import { setTimeout as pause } from 'node:timers/promises';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import type { Clock } from '../clock.ts';
import { stringifyExact } from '../fhir/exact-json.ts';
import { isFhirId } from '../fhir/request-url.ts';
import { type AnswerMark, markOf, saysTheSame } from './answer-mark.ts';
import type { Authorization } from './authorization.ts';
import type { Breaker } from './breaker.ts';
import type { HttpRequest, Send } from './client.ts';
import { expectBundle, expectResource, expectType, expectWritten, type FhirReply, interpret } from './fhir-reply.ts';
import { keptHeaders } from './kept-headers.ts';
import type { Pacing } from './pacing.ts';
import { failure, type RemoteFailure, type Result, success } from './result.ts';
import { urlWithin } from './within.ts';

/** What went over the wire, for the message log. Credentials are left out. */
export interface Exchange {
  /** `token`: asked an authorization server for a credential; then there are no bodies. */
  readonly kind?: 'token';
  readonly method: HttpRequest['method'];
  readonly url: string;
  readonly status?: number;
  readonly request?: string;
  readonly response?: string;
  /** Those that say something about the exchange (kept-headers.ts). */
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly responseHeaders?: Readonly<Record<string, string>>;
  readonly failure?: RemoteFailure;
  readonly durationMs: number;
}

export interface WriteOptions {
  /** Version the server must still have. */
  readonly ifMatch?: string | undefined;
  /** Search query without `?`; the server creates only when nothing matches. */
  readonly ifNoneExist?: string | undefined;
  /** Same for every attempt at the same thing. */
  readonly requestId?: string | undefined;
  /** Not sent after this time, because somebody else may be at it by then. Epoch milliseconds of the machine's clock. */
  readonly until?: number | undefined;
}

/** `same`: as the answer that was known. */
export type SearchAnswer =
  | { readonly same: true }
  | (FhirReply & { readonly same: false; readonly body: Bundle; readonly mark: AnswerMark });

export interface FhirClient {
  readonly baseUrl: string;
  /** @param options `mayLead`: also a resource that the server redirects to; otherwise only the one with the id */
  read(type: string, id: string, options?: { readonly mayLead: boolean }): Promise<Result<FhirReply>>;
  /** @param query e.g. `Task?identifier=a|b` */
  search(query: string): Promise<Result<FhirReply & { readonly body: Bundle }>>;
  /** A search whose answer is left unread when it says what the one with the mark said. */
  searchUnlessSame(query: string, known: Partial<AnswerMark>): Promise<Result<SearchAnswer>>;
  /** A page by its link; refused when that leaves the base URL. */
  page(url: string): Promise<Result<FhirReply & { readonly body: Bundle }>>;
  create(resource: Resource, options?: WriteOptions): Promise<Result<FhirReply>>;
  update(resource: Resource & { id: string }, options?: WriteOptions): Promise<Result<FhirReply>>;
  delete(type: string, id: string, options?: WriteOptions): Promise<Result<FhirReply>>;
  transaction(bundle: Bundle, options?: WriteOptions): Promise<Result<FhirReply & { readonly body: Bundle }>>;
  /** `Patient/$match`: whom the server takes for this patient. https://hl7.org/fhir/R4/patient-operation-match.html */
  match(patient: Resource): Promise<Result<FhirReply & { readonly body: Bundle }>>;
  capability(): Promise<Result<FhirReply>>;
}

export interface FhirClientOptions {
  /** Without trailing slash. */
  readonly baseUrl: string;
  readonly send: Send;
  readonly authorization: Authorization;
  readonly breaker: Breaker;
  readonly pacing: Pacing;
  readonly clock: Clock;
  readonly onExchange: (exchange: Exchange) => void;
  /** Between 0 and 1. */
  readonly random?: () => number;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

const READ_ATTEMPTS = 3;
const FIRST_WAIT = 200;
/** A pause that is longer is not sat out; the failure says when to come back. */
const LONGEST_WAIT = 2_000;

/** A cached answer would hide what was just written. */
const FRESH = { accept: 'application/fhir+json', 'cache-control': 'no-cache' };

export function createFhirClient(options: FhirClientOptions): FhirClient {
  const { baseUrl, send, authorization, breaker, pacing, clock, onExchange } = options;
  const { random = Math.random, wait = (milliseconds) => pause(milliseconds) } = options;

  /** One request with its credential; a refused credential is renewed once, which is safe because nothing was done. */
  async function exchange(
    request: HttpRequest,
    known?: Partial<AnswerMark>,
    until = Number.POSITIVE_INFINITY,
  ): Promise<Result<FhirReply>> {
    const paused = await sitOut();
    if (!paused.ok) return paused;
    for (let renewed = false; ; renewed = true) {
      const turn = await waitForTurn(until);
      // Nothing was asked, which says nothing about the server.
      if (!turn.ok) return turn;
      const answer = await attempt(request, known).finally(turn.value);
      if (answer.ok || answer.failure.status !== 401 || renewed || !authorization.renew()) {
        breaker.record(answer.ok ? 'success' : BREAKER_EVENTS[answer.failure.class]);
        return answer;
      }
    }
  }

  /** A place among the requests, and how to leave it; none when what others were answered meanwhile speaks against asking. */
  async function waitForTurn(until: number): Promise<Result<() => void>> {
    const isOpen = () => breaker.status.state === 'open';
    const wasOpen = isOpen();
    const leave = await pacing.enter();
    const paused = await sitOut();
    const isLate = clock.real().epochMilliseconds >= until;
    if (paused.ok && (wasOpen || !isOpen()) && !isLate) return success(leave);
    leave();
    const message = isLate ? 'It waited for its turn too long and was not sent.' : 'The server is left alone for now.';
    return paused.ok ? failure({ class: 'transient', message }) : paused;
  }

  /** Waits while the server wants a pause; not when it is a long one. */
  async function sitOut(): Promise<Result<undefined>> {
    const paused = pacing.paused();
    if (paused > LONGEST_WAIT) {
      const retryAfter = Temporal.Duration.from({ milliseconds: Math.ceil(paused) });
      return failure({ class: 'transient', message: 'The server asked for a pause.', retryAfter });
    }
    if (paused > 0) await wait(paused);
    return success(undefined);
  }

  async function attempt(request: HttpRequest, known?: Partial<AnswerMark>): Promise<Result<FhirReply>> {
    const credential = await authorization.header();
    if (!credential.ok) return credential;
    const started = clock.real();
    const headers = credential.value ? { ...request.headers, authorization: credential.value } : request.headers;
    const reply = await send({ ...request, headers });
    const same = reply.ok && known !== undefined && saysTheSame(reply.value, known);
    const read = reply.ok ? (same ? SAME : interpret(request, reply.value, clock.real())) : reply;
    const answer = read.ok && reply.ok && known && !same ? success({ ...read.value, mark: markOf(reply.value) }) : read;
    if (!answer.ok && SLOW_DOWN.has(answer.failure.status ?? 0)) pacing.slowDown(answer.failure.retryAfter);
    onExchange({
      method: request.method,
      url: request.url,
      durationMs: Math.round(started.until(clock.real()).total('milliseconds')),
      requestHeaders: keptHeaders(Object.entries(request.headers)),
      ...(request.body === undefined ? {} : { request: request.body }),
      ...(reply.ok ? { status: reply.value.status, response: reply.value.text } : {}),
      ...(reply.ok ? { responseHeaders: keptHeaders(reply.value.headers) } : {}),
      ...(answer.ok ? {} : { failure: answer.failure }),
    });
    return answer;
  }

  async function get(url: string, known?: Partial<AnswerMark>): Promise<Result<FhirReply>> {
    const headers = known?.etag === undefined ? FRESH : { ...FRESH, 'if-none-match': known.etag };
    for (let tries = 1; ; tries += 1) {
      const answer = await exchange({ method: 'GET', url, headers }, known);
      if (answer.ok || answer.failure.class !== 'transient' || tries === READ_ATTEMPTS) return answer;
      const asked = answer.failure.retryAfter?.total('milliseconds') ?? 0;
      if (asked > LONGEST_WAIT || breaker.status.state === 'open') return answer;
      // Full jitter: clients that failed together do not come back together.
      await wait(Math.max(asked, random() * FIRST_WAIT * 2 ** tries));
    }
  }

  function write(method: 'POST' | 'PUT' | 'DELETE', url: string, body: Resource | undefined, options: WriteOptions) {
    const request: HttpRequest = {
      method,
      url,
      headers: {
        accept: 'application/fhir+json',
        prefer: 'return=representation',
        ...(body ? { 'content-type': 'application/fhir+json' } : {}),
        ...(options.ifMatch === undefined ? {} : { 'if-match': `W/"${options.ifMatch}"` }),
        ...(options.ifNoneExist === undefined ? {} : { 'if-none-exist': options.ifNoneExist }),
        ...(options.requestId === undefined ? {} : { 'x-request-id': options.requestId }),
      },
      ...(body ? { body: stringifyExact(body) } : {}),
    };
    return exchange(request, undefined, options.until);
  }

  return {
    baseUrl,
    async read(type, id, { mayLead } = { mayLead: false }) {
      if (isFhirId(id)) return expectResource(await get(`${baseUrl}/${type}/${id}`), type, id, mayLead);
      return failure({ class: 'permanent', message: 'The id is none of FHIR; it was not asked for.' });
    },
    search: async (query) => expectBundle(await get(`${baseUrl}/${query}`), true),
    async searchUnlessSame(query, known) {
      const reply = await get(`${baseUrl}/${query}`, known);
      if (reply.ok && reply.value.status === SAME_STATUS) return success({ same: true });
      const bundle = expectBundle(reply, true);
      if (!bundle.ok) return bundle;
      const { mark } = bundle.value;
      return success({ ...bundle.value, same: false, mark: mark ?? { digest: '' } });
    },
    async page(url) {
      const target = urlWithin(url, `${baseUrl}/`, baseUrl);
      if (target) return expectBundle(await get(target), true);
      const message = 'The next page is on another origin or outside the base URL; it was not asked for.';
      return failure({ class: 'permanent', message });
    },
    create: async (resource, options = {}) =>
      expectWritten(
        await write('POST', `${baseUrl}/${resource.resourceType}`, resource, options),
        resource.resourceType,
        undefined,
      ),
    update: async (resource, options = {}) =>
      expectWritten(
        await write('PUT', `${baseUrl}/${resource.resourceType}/${resource.id}`, resource, options),
        resource.resourceType,
        resource.id,
      ),
    delete: (type, id, options = {}) => write('DELETE', `${baseUrl}/${type}/${id}`, undefined, options),
    transaction: async (bundle, options = {}) => expectBundle(await write('POST', baseUrl, bundle, options), false),
    async match(patient) {
      const parameter = [
        { name: 'resource', resource: patient },
        { name: 'onlyCertainMatches', valueBoolean: false },
      ];
      const body = stringifyExact({ resourceType: 'Parameters', parameter });
      const headers = { ...FRESH, 'content-type': 'application/fhir+json' };
      const url = `${baseUrl}/Patient/$match`;
      return expectBundle(await exchange({ method: 'POST', url, headers, body, safe: true }), true);
    },
    capability: async () => expectType(await get(`${baseUrl}/metadata`), 'CapabilityStatement', true),
  };
}

const SAME_STATUS = 304;
const SAME = success<FhirReply>({ status: SAME_STATUS });
const SLOW_DOWN = new Set([429, 503]);
/** What each class means to the breaker. A server that says no is a server that answers. */
export const BREAKER_EVENTS = {
  transient: 'failure',
  ambiguous: 'failure',
  conflict: 'success',
  permanent: 'success',
  auth: 'refused',
} as const;
