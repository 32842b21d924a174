// The public keys of clients that publish them by URL: asked for with limits, kept for a minute, and kept longer while the
// URL does not answer.
import type { JWK } from 'jose';
import type { Logger } from 'pino';
import type { Clock } from '../../clock.ts';

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 64 * 1024;
const FRESH_SECONDS = 60;
/** How soon a URL that failed is asked again. */
const RETRY_SECONDS = 10;
/** A key that its owner took away must stop working even when the URL is down. */
const STALE_SECONDS = 3_600;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

interface Known {
  readonly keys: readonly JWK[];
  readonly fetched: number;
  readonly askAgain: number;
}

/** @returns a function from a URL to the keys there, none when they cannot be had */
export function createClientKeys(clock: Clock, fetch: Fetch, log: Logger): (url: string) => Promise<readonly JWK[]> {
  const known = new Map<string, Known>();
  const asking = new Map<string, Promise<Known>>();
  const now = () => clock.real().epochMilliseconds / 1000;

  const ask = async (url: string): Promise<Known> => {
    try {
      return { keys: await fetchKeys(url, fetch), fetched: now(), askAgain: now() + FRESH_SECONDS };
    } catch (error) {
      log.warn({ url, error: (error as Error).name }, "a client's keys cannot be fetched");
      const last = known.get(url);
      const usable = last && last.fetched + STALE_SECONDS > now() ? last : { keys: [], fetched: 0 };
      return { ...usable, askAgain: now() + RETRY_SECONDS };
    }
  };
  return async (url) => {
    const last = known.get(url);
    if (last && last.askAgain > now()) return last.keys;
    const asked = asking.get(url) ?? ask(url);
    asking.set(url, asked);
    const found = await asked;
    asking.delete(url);
    known.set(url, found);
    return found.keys;
  };
}

async function fetchKeys(url: string, fetch: Fetch): Promise<readonly JWK[]> {
  const answer = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (answer.status !== 200 || answer.body === null) throw new Error(`HTTP ${answer.status}`);
  const { keys } = JSON.parse(await readText(answer.body)) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('This is no key set.');
  return keys.filter((key): key is JWK => typeof key?.kty === 'string' && key.kty !== 'oct' && !('d' in key));
}

async function readText(body: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error('The key set is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
