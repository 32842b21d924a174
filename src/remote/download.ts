// A large file of a server as a stream of lines, bounded in size and time. It may lie on another origin when the connection
// says so; our credential goes to the server's own origin only, also when that redirects. docs/sync-spec.md#I33
import { classifyError, classifyStatus } from './classify.ts';
import { noAnswer } from './no-answer.ts';
import { failure, type Result, success } from './result.ts';
import { parseRetryAfter } from './retry-after.ts';

export interface DownloadRequest {
  readonly url: string;
  /** Origin of the server. */
  readonly own: string;
  /** Other origins that are allowed. */
  readonly origins: readonly string[];
  /** Value of the Authorization header. */
  readonly authorization: string | undefined;
  readonly signal: AbortSignal;
}

export type Download = (request: DownloadRequest) => Promise<Result<ReadableStream<Uint8Array>>>;

export interface Line {
  readonly text: string;
  /** The line is longer than is read; `text` is its beginning. */
  readonly isCut: boolean;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTS = 5;
const TIMEOUT = Temporal.Duration.from({ minutes: 60 });
const MOST_BYTES = 4 * 1024 ** 3;
const LONGEST_LINE = 16 * 1024 ** 2;
const KEPT_OF_LONG_LINE = 64 * 1024;

/** @param fetch of remote/client.ts */
export function createDownload(fetch: typeof globalThis.fetch, now: () => Temporal.Instant): Download {
  return async ({ url, own, origins, authorization, signal }) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT.total('milliseconds'))]);
    let at = URL.parse(url);
    try {
      for (let hops = 0; hops <= MOST_REDIRECTS; hops += 1) {
        if (at?.username !== '' || (at.origin !== own && !origins.includes(at.origin))) return elsewhere(at);
        const mayKnow = at.origin === own && authorization !== undefined;
        const headers = {
          accept: 'application/fhir+ndjson, application/ndjson, */*',
          ...(mayKnow ? { authorization } : {}),
        };
        const response = await fetch(at, { headers, signal: limit, redirect: 'manual' });
        if (response.ok && response.body) return success(response.body);
        await response.body?.cancel();
        const { status } = response;
        if (!REDIRECTS.has(status)) {
          const retryAfter = parseRetryAfter(response.headers.get('retry-after'), now());
          const message = `The server answered ${status} to a file of the export.`;
          return failure({
            class: classifyStatus(status, true),
            message,
            status,
            ...(retryAfter ? { retryAfter } : {}),
          });
        }
        at = URL.parse(response.headers.get('location') ?? 'none:', at);
      }
      return failure({
        class: 'permanent',
        message: `A file of the export leads on more than ${MOST_REDIRECTS} times.`,
      });
    } catch (error) {
      return failure({ class: classifyError(error, true), message: noAnswer(error) });
    }
  };
}

function elsewhere(at: URL | null): Result<never> {
  const where = at && at.origin !== 'null' ? at.origin.slice(0, 100) : 'no place that files can be fetched from';
  const message = `A file of the export lies on ${where}, which bulk.fileOrigins of the connection does not name.`;
  return failure({ class: 'permanent', message });
}

/**
 * Lines of UTF-8 text without their ends; empty ones are left out.
 * @throws TypeError for what is not UTF-8, RangeError beyond the largest size, and whatever reading throws
 */
export async function* linesOf(
  body: AsyncIterable<Uint8Array>,
  limits: { readonly bytes: number; readonly line: number } = { bytes: MOST_BYTES, line: LONGEST_LINE },
): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  let rest = '';
  let isCut = false;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > limits.bytes) throw new RangeError('larger than is read');
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      if (isCut || part.trim() !== '') yield lineOf(part, isCut || part.length > limits.line);
      isCut = false;
    }
    if (isCut || rest.length > limits.line) {
      rest = rest.slice(0, KEPT_OF_LONG_LINE);
      isCut = true;
    }
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield lineOf(rest, isCut || rest.length > limits.line);
}

function lineOf(text: string, isCut: boolean): Line {
  return { text: isCut ? text.slice(0, KEPT_OF_LONG_LINE) : text.replace(/\r$/, ''), isCut };
}
