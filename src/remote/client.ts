// One HTTP request to an external server, as a value. The only file that calls fetch: here are the time-out, the size
// limit and the rule that nothing, above all no token, follows a redirect to another origin. docs/sync-spec.md#I27
import { Fault } from '../fault.ts';
import { classifyError } from './classify.ts';
import { noAnswer } from './no-answer.ts';
import { failure, type RemoteFailure, type Result, success } from './result.ts';
import { urlWithin } from './within.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A POST that changes nothing, such as asking for a token. */
  readonly safe?: boolean;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** It is of another address than the one that was asked. */
  readonly redirected?: boolean;
}

/** An answer whose body is still to be read. */
export interface OpenReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  readonly redirected?: boolean;
}

/** Sends a request; an answer of any status is a success. */
export type Send = (request: HttpRequest) => Promise<Result<HttpReply>>;

export interface SendOptions {
  readonly fetch: typeof globalThis.fetch;
  /** For the whole exchange, body included; 30 s when absent. */
  readonly timeout?: Temporal.Duration;
  /** Largest answer that is read, after decompression; 32 MiB when absent. */
  readonly maxBytes?: number;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTS = 3;
export const MOST_BYTES = 32 * 1024 * 1024;

export function createSend(options: SendOptions): Send {
  const { fetch, timeout = Temporal.Duration.from({ seconds: 30 }), maxBytes = MOST_BYTES } = options;
  return async (request) => {
    const safe = isSafe(request);
    try {
      const signal = AbortSignal.timeout(timeout.total('milliseconds'));
      const opened = await open(fetch, request, signal);
      if (!opened.ok) return opened;
      const { status, headers, body, redirected = false } = opened.value;
      const text = await readText(body, maxBytes);
      if (typeof text === 'string') return success({ status, headers, text, redirected });
      return failure({ class: safe ? 'permanent' : 'ambiguous', message: TOO_BAD[text.why](maxBytes), status });
    } catch (error) {
      // Nothing was sent: a certificate is not there.
      if (error instanceof Fault) return failure({ class: 'auth', message: error.message });
      return failure({ class: classifyError(error, safe), message: noAnswer(error) });
    }
  };
}

/**
 * The answer to a request, its body unread. Reads follow redirects within the origin; a write never does, because what
 * another address makes of it is not known.
 * @throws whatever fetch throws
 */
export async function open(
  fetch: typeof globalThis.fetch,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Result<OpenReply>> {
  let { url } = request;
  for (let hops = 0; ; hops += 1) {
    const { method, headers, body = null } = request;
    const response = await fetch(url, { method, headers, body, signal, redirect: 'manual' });
    if (!REDIRECTS.has(response.status)) {
      return success({ status: response.status, headers: response.headers, body: response.body, redirected: hops > 0 });
    }
    await response.body?.cancel();
    const next = sameOriginUrl(response.headers.get('location') ?? '', url);
    if (method === 'GET' && next !== undefined && hops < MOST_REDIRECTS) url = next;
    else return failure(redirected(response, url, hops));
  }
}

export function isSafe(request: HttpRequest): boolean {
  return request.safe ?? request.method === 'GET';
}

/** `target` resolved against `base`, or undefined when that leaves its origin, carries a password, or is no URL. */
export function sameOriginUrl(target: string, base: string): string | undefined {
  return target === '' ? undefined : urlWithin(target, base, new URL(base).origin);
}

function redirected({ status, headers }: Response, url: string, hops: number): RemoteFailure {
  const { origin, protocol, host } = new URL(url);
  const to = URL.parse(headers.get('location') ?? '', url);
  const why =
    to === null || !headers.get('location')
      ? 'without saying where'
      : to.protocol !== protocol
        ? `from ${protocol.slice(0, -1)} to ${to.protocol.slice(0, -1)}`
        : to.host !== host
          ? `to another server (${to.host.slice(0, 100)})`
          : to.origin !== origin || hops < MOST_REDIRECTS
            ? 'to another address'
            : `more than ${MOST_REDIRECTS} times`;
  const message = `The server redirects ${why}; Baton does not follow, and its credential went no further. Correct the base URL.`;
  return { class: 'permanent', message, status };
}

type Unread = { readonly why: 'size' | 'characters' };

const TOO_BAD: Record<Unread['why'], (maxBytes: number) => string> = {
  size: (maxBytes) => `The answer is larger than ${maxBytes} bytes and was not read.`,
  characters: () => 'The answer is not UTF-8, which FHIR requires, and was not read.',
};

/** The body as text: the size is counted after decompression, so a gzip bomb ends here. */
async function readText(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<string | Unread> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  let text = '';
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the stream, and that closes the connection.
    if (bytes > maxBytes) return { why: 'size' };
    const more = decoded(() => decoder.decode(chunk, { stream: true }));
    if (more === undefined) return { why: 'characters' };
    text += more;
  }
  const rest = decoded(() => decoder.decode());
  return rest === undefined ? { why: 'characters' } : text + rest;
}

function decoded(decode: () => string): string | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
