// The public keys of clients that publish them by URL: asked for with limits, kept for a minute, and kept longer while the
// URL does not answer.
import type { JWK } from 'jose';
import type { Logger } from 'pino';
import type { Clock } from '../../clock.ts';
import { type AskIssuer, IssuerError } from '../issuer-http.ts';

const FRESH_SECONDS = 60;
/** How soon a URL that failed is asked again. */
const RETRY_SECONDS = 10;
/** A key that its owner took away must stop working even when the URL is down. */
const STALE_SECONDS = 3_600;

interface Known {
  readonly keys: readonly JWK[];
  readonly fetched: number;
  readonly askAgain: number;
}

/** @returns a function from a URL to the keys there, none when they cannot be had */
export function createClientKeys(
  clock: Clock,
  askIssuer: AskIssuer,
  log: Logger,
): (url: string) => Promise<readonly JWK[]> {
  const known = new Map<string, Known>();
  const asking = new Map<string, Promise<Known>>();
  const now = () => clock.real().epochMilliseconds / 1000;

  const ask = async (url: string): Promise<Known> => {
    try {
      return { keys: await fetchKeys(url, askIssuer), fetched: now(), askAgain: now() + FRESH_SECONDS };
    } catch (error) {
      const reason = error instanceof IssuerError ? error.message : 'its answer cannot be used';
      log.warn({ url, reason }, "a client's keys cannot be fetched");
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

async function fetchKeys(url: string, ask: AskIssuer): Promise<readonly JWK[]> {
  const { keys } = await ask(url);
  if (!Array.isArray(keys)) throw new IssuerError('its answer is not a key set');
  return keys.filter((key): key is JWK => typeof key?.kty === 'string' && key.kty !== 'oct' && !('d' in key));
}
