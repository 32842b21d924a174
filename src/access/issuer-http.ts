// One request to somebody whose word counts for tokens: another authorization server, or a client that publishes its keys.
// Here are the time-out, the size limit, the rule that nothing follows a redirect, and the rule that only https is trusted off
// this machine.
import { Fault } from '../fault.ts';
import { type JsonObject, parseObject } from './strict-json.ts';
import { isTrustworthy } from './trustworthy-url.ts';

/** Why an issuer could not be asked. The sentence is for operators and has nothing in it that the issuer sent. */
export class IssuerError extends Error {
  override readonly name = 'IssuerError';
}

export interface IssuerRequest {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** @returns the JSON object that the issuer answers with 200. @throws IssuerError */
export type AskIssuer = (url: string, request?: IssuerRequest) => Promise<JsonObject>;

export interface AskOptions {
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** For the whole exchange, body included; 5 s when absent. */
  readonly timeout?: Temporal.Duration | undefined;
}

const TIMEOUT = Temporal.Duration.from({ seconds: 5 });
/** Discovery documents and key sets have a few kilobytes. */
const MAX_BYTES = 256 * 1024;

export function createAskIssuer({ fetch = globalThis.fetch, timeout = TIMEOUT }: AskOptions): AskIssuer {
  const milliseconds = timeout.total('milliseconds');
  return async (url, { method, headers, body = null } = { method: 'GET' }) => {
    if (!isTrustworthy(url)) throw new IssuerError('its address is not https');
    const signal = AbortSignal.timeout(milliseconds);
    const request = { method, headers: { accept: 'application/json', ...headers }, body, signal, redirect: 'manual' };
    let bytes: Buffer | undefined;
    try {
      const response = await fetch(url, request as RequestInit);
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new IssuerError(`it answers ${response.status}`);
      }
      bytes = await readBytes(response);
    } catch (cause) {
      if (cause instanceof IssuerError) throw cause;
      throw new IssuerError(signal.aborted ? 'it does not answer in time' : 'it cannot be reached', { cause });
    }
    const value = bytes && parseObject(bytes);
    if (!value) throw new IssuerError(bytes ? 'its answer is not a JSON object' : 'its answer is too large');
    return value;
  };
}

/** Counted after decompression, so that a gzip bomb ends here. Undefined when there is more than the limit. */
async function readBytes(response: Response): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (length > MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * A token can be neither accepted nor refused because its issuer does not answer.
 * @param seconds until it makes sense to try again
 */
export function issuerUnavailable(issuer: string, cause: unknown, seconds = 1): Fault {
  const reason = cause instanceof IssuerError ? cause.message : 'its answer cannot be used';
  return new Fault('unavailable', 'The issuer of the token cannot be asked at the moment; try again.', {
    cause,
    context: { issuer, reason, retryAfterSeconds: Math.max(1, Math.ceil(seconds)) },
  });
}
