// The asynchronous export of one server: asked for, looked after, fetched file by file and line by line. Bodies of files are
// never held as a whole. https://hl7.org/fhir/uv/bulkdata/export.html
import type { Clock } from '../clock.ts';
import type { Authorization } from './authorization.ts';
import type { Breaker } from './breaker.ts';
import { type HttpReply, type HttpRequest, type Send, sameOriginUrl } from './client.ts';
import { type Download, type Line, linesOf } from './download.ts';
import { BREAKER_EVENTS, type Exchange } from './fhir-client.ts';
import { interpret } from './fhir-reply.ts';
import type { Pacing } from './pacing.ts';
import { failure, type RemoteFailure, type Result, success } from './result.ts';
import { parseRetryAfter } from './retry-after.ts';

export type JobStatus =
  | { readonly state: 'working'; readonly wait: Temporal.Duration | undefined }
  /** `manifest` is as it was received. */
  | { readonly state: 'complete'; readonly manifest: string };

export interface FileRequest {
  readonly url: string;
  readonly withToken: boolean;
  /** Origins beside the server's own that it may lie on; our credential never goes there. */
  readonly origins: readonly string[];
  readonly signal: AbortSignal;
}

export interface BulkClient {
  /** @param path e.g. `Group/1/$export?_type=Task`. @returns where the job is looked after */
  kickOff(path: string): Promise<Result<string>>;
  status(url: string): Promise<Result<JobStatus>>;
  /** Tells the server that it need not keep the job. */
  remove(url: string): Promise<Result<undefined>>;
  /** The lines of a file, as they arrive. Reading them may throw what fetch throws. */
  lines(file: FileRequest): Promise<Result<AsyncIterable<Line>>>;
}

export interface BulkClientOptions {
  readonly baseUrl: string;
  readonly send: Send;
  readonly download: Download;
  readonly authorization: Authorization;
  readonly breaker: Breaker;
  readonly pacing: Pacing;
  readonly clock: Clock;
  readonly onExchange: (exchange: Exchange) => void;
}

export function createBulkClient(options: BulkClientOptions): BulkClient {
  const { baseUrl, send, download, authorization, breaker, pacing, clock, onExchange } = options;

  async function exchange(request: HttpRequest, keepsAnswer: boolean): Promise<Result<HttpReply>> {
    for (let renewed = false; ; renewed = true) {
      const answer = await attempt(request, keepsAnswer);
      if (answer.ok || answer.failure.status !== 401 || renewed || !authorization.renew()) {
        breaker.record(answer.ok ? 'success' : BREAKER_EVENTS[answer.failure.class]);
        return answer;
      }
    }
  }

  async function attempt(request: HttpRequest, keepsAnswer: boolean): Promise<Result<HttpReply>> {
    const credential = await authorization.header();
    if (!credential.ok) return credential;
    const leave = await pacing.enter();
    const started = clock.real();
    const headers = credential.value ? { ...request.headers, authorization: credential.value } : request.headers;
    const reply = await send({ ...request, headers }).finally(leave);
    const failed = reply.ok ? refusalOf(request, reply.value) : reply.failure;
    report(
      request,
      started,
      reply.ok ? reply.value.status : undefined,
      failed,
      keepsAnswer && reply.ok ? reply.value.text : undefined,
    );
    return failed ? failure(failed) : reply;
  }

  function refusalOf(request: HttpRequest, reply: HttpReply): RemoteFailure | undefined {
    if (reply.status >= 200 && reply.status < 300) return undefined;
    const answer = interpret(request, reply, clock.real());
    if (answer.ok) return undefined;
    if (reply.status === 429 || reply.status === 503) pacing.slowDown(answer.failure.retryAfter);
    return answer.failure;
  }

  function report(
    { method, url }: Pick<HttpRequest, 'method' | 'url'>,
    started: Temporal.Instant,
    status: number | undefined,
    failed: RemoteFailure | undefined,
    response?: string,
  ): void {
    onExchange({
      method,
      url: withoutSignature(url, baseUrl),
      durationMs: Math.round(started.until(clock.real()).total('milliseconds')),
      ...(status === undefined ? {} : { status }),
      ...(response === undefined ? {} : { response }),
      ...(failed ? { failure: failed } : {}),
    });
  }

  return {
    async kickOff(path) {
      const headers = { accept: 'application/fhir+json', prefer: 'respond-async' };
      const reply = await exchange({ method: 'GET', url: `${baseUrl}/${path}`, headers }, true);
      if (!reply.ok) return reply;
      const { status } = reply.value;
      const url = sameOriginUrl(reply.value.headers.get('content-location') ?? '', `${baseUrl}/`);
      if (status === 202 && url !== undefined) return success(url);
      const message =
        status === 202
          ? 'The server took the export but named no place on its own origin to look after it.'
          : 'The server does not export asynchronously.';
      return failure({ class: 'permanent', message, status });
    },
    async status(url) {
      const headers = { accept: 'application/json', 'cache-control': 'no-cache' };
      // A manifest may have signed addresses in it, which are as good as passwords.
      const reply = await exchange({ method: 'GET', url, headers }, false);
      if (!reply.ok) return reply;
      if (reply.value.status !== 202) return success({ state: 'complete', manifest: reply.value.text });
      const wait = parseRetryAfter(reply.value.headers.get('retry-after'), clock.real());
      return success({ state: 'working', wait });
    },
    async remove(url) {
      const reply = await exchange({ method: 'DELETE', url, headers: { accept: 'application/fhir+json' } }, true);
      return reply.ok ? success(undefined) : reply;
    },
    async lines(file) {
      for (let renewed = false; ; renewed = true) {
        const credential = file.withToken ? await authorization.header() : success(undefined);
        if (!credential.ok) return credential;
        const leave = await pacing.enter();
        const started = clock.real();
        const reply = await download({
          ...file,
          own: new URL(baseUrl).origin,
          authorization: credential.value,
        }).finally(leave);
        report(
          { method: 'GET', url: file.url },
          started,
          reply.ok ? 200 : reply.failure.status,
          reply.ok ? undefined : reply.failure,
        );
        if (reply.ok) return success(linesOf(reply.value));
        if (reply.failure.status !== 401 || !file.withToken || renewed || !authorization.renew()) return reply;
      }
    },
  };
}

/** An address elsewhere may be signed: what comes after the path is left out of every record. */
function withoutSignature(url: string, baseUrl: string): string {
  const { origin, pathname } = new URL(url);
  return origin === new URL(baseUrl).origin ? url : `${origin}${pathname}`;
}
