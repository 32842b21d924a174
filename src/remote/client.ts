// One HTTP request to an external server, as a value. The only file that calls fetch: here are the time-out, the size
// limit and the rule that nothing, above all no token, follows a redirect to another origin. docs/sync-spec.md#I27
import { Fault } from '../fault.ts';
import { classifyError, reasonOf } from './classify.ts';
import { failure, type Result, success } from './result.ts';

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
}

/** Sends a request; an answer of any status is a success. */
export type Send = (request: HttpRequest) => Promise<Result<HttpReply>>;

export interface SendOptions {
  readonly fetch: typeof globalThis.fetch;
  /** For the whole exchange, body included; 30 s when absent. */
  readonly timeout?: Temporal.Duration;
  /** Largest answer that is read; 32 MiB when absent. */
  readonly maxBytes?: number;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTS = 3;

export function createSend(options: SendOptions): Send {
  const { fetch, timeout = Temporal.Duration.from({ seconds: 30 }), maxBytes = 32 * 1024 * 1024 } = options;
  return async (request) => {
    const safe = request.safe ?? request.method === 'GET';
    const signal = AbortSignal.timeout(timeout.total('milliseconds'));
    let { url } = request;
    try {
      for (let hops = 0; ; hops += 1) {
        const { method, headers, body = null } = request;
        const response = await fetch(url, { method, headers, body, signal, redirect: 'manual' });
        if (!REDIRECTS.has(response.status)) {
          const text = await readText(response, maxBytes);
          if (text !== undefined) return success({ status: response.status, headers: response.headers, text });
          const message = `The answer is larger than ${maxBytes} bytes and was not read.`;
          return failure({ class: safe ? 'permanent' : 'ambiguous', message, status: response.status });
        }
        await response.body?.cancel();
        const next = sameOriginUrl(response.headers.get('location') ?? '', url);
        if (request.method !== 'GET' || next === undefined || hops === MOST_REDIRECTS) {
          const message = 'The server redirects elsewhere; Baton does not follow. Correct the base URL.';
          return failure({ class: 'permanent', message, status: response.status });
        }
        url = next;
      }
    } catch (error) {
      // Nothing was sent: a certificate is not there.
      if (error instanceof Fault) return failure({ class: 'auth', message: error.message });
      return failure({ class: classifyError(error, safe), message: `No answer: ${reasonOf(error)}.` });
    }
  };
}

/** `target` resolved against `base`, or undefined when that leaves its origin or is no URL. */
export function sameOriginUrl(target: string, base: string): string | undefined {
  if (target === '' || !URL.canParse(target, base)) return undefined;
  const resolved = new URL(target, base);
  return resolved.origin === new URL(base).origin ? resolved.href : undefined;
}

/** The body as text, or undefined when it grows beyond the limit: counted after decompression, so a gzip bomb ends here. */
async function readText(response: Response, maxBytes: number): Promise<string | undefined> {
  if (!response.body) return '';
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = '';
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (bytes > maxBytes) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
