// The public keys of another issuer: fetched when first needed, again after five minutes, and again when a token names a
// key that is not among them (at most every 30 seconds, as jose does it, so that made-up key ids cannot make Baton hammer
// the issuer). While the issuer is down, the keys that are known go on for an hour.
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTHeaderParameters } from 'jose';
import type { Clock } from '../clock.ts';
import { addressOf } from './discovery.ts';
import type { Issuer } from './issuer.ts';
import { type AskIssuer, IssuerError, issuerUnavailable } from './issuer-http.ts';

export type VerifyingKey = Awaited<ReturnType<ReturnType<typeof createLocalJWKSet>>>;

/** Where the keys that may have signed a token come from. */
export interface KeySource {
  /** Another number when the set is another: what an older one verified must be verified again. */
  readonly generation: number;
  /** @throws Fault unavailable */
  find(header: JWTHeaderParameters): Promise<Found>;
}

export interface Found {
  /** Those that the header of a token fits: mostly one, several when it names none, none when there is none. */
  readonly keys: readonly VerifyingKey[];
  /** Of the set that they are in. */
  readonly generation: number;
}

/** Seconds. */
const FRESH = 300;
const COOLDOWN = 30;
const PAUSE_AFTER_FAILURE = 10;
const LONGEST = 3_600;
/** A token that names no key is tried against so many. */
const MOST_KEYS = 8;

interface Known {
  readonly find: ReturnType<typeof createLocalJWKSet>;
  readonly text: string;
  readonly count: number;
  readonly generation: number;
  readonly at: number;
}

export interface IssuerKeys extends KeySource {
  /** Fetches the keys, for `baton doctor`. @returns how many. @throws IssuerError */
  check(): Promise<number>;
}

export function issuerKeys(issuer: Issuer, ask: AskIssuer, clock: Clock): IssuerKeys {
  let known: Known | undefined;
  let failed: { readonly error: unknown; readonly at: number } | undefined;
  let pending: Promise<void> | undefined;

  const address = addressOf(issuer.jwksUrl, { issuer: issuer.issuer, member: 'jwks_uri', ask, clock });
  const seconds = () => clock.real().epochMilliseconds / 1000;

  async function fetchKeys(): Promise<void> {
    try {
      const set = await ask(await address.find());
      const text = JSON.stringify(set.keys);
      if (known && known.text === text) known = { ...known, at: seconds() };
      else {
        const generation = (known?.generation ?? 0) + 1;
        known = { find: localSet(set), text, count: (set.keys as unknown[]).length, generation, at: seconds() };
      }
      failed = undefined;
    } catch (error) {
      address.forget();
      failed = { error, at: seconds() };
    }
  }

  /** Requests that come meanwhile wait for the same answer; after a failure the issuer is left alone for a while. */
  async function refresh(): Promise<void> {
    if (failed && seconds() - failed.at < PAUSE_AFTER_FAILURE) return;
    pending ??= fetchKeys().finally(() => {
      pending = undefined;
    });
    await pending;
  }

  const unavailable = () =>
    issuerUnavailable(issuer.issuer, failed?.error, (failed?.at ?? 0) + PAUSE_AFTER_FAILURE - seconds());

  const age = () => (known ? seconds() - known.at : Number.POSITIVE_INFINITY);

  const findIn = async ({ find, generation }: Known, header: JWTHeaderParameters): Promise<Found> => ({
    keys: await keysIn(find, header, issuer.issuer),
    generation,
  });

  return {
    get generation() {
      return known?.generation ?? 0;
    },
    async find(header) {
      if (age() >= FRESH) {
        const refreshed = refresh();
        // Of an issuer that is known to be down nobody waits for the next time-out while there are keys to go on with.
        if (!failed || age() >= LONGEST) await refreshed;
      }
      if (!known || age() >= LONGEST) throw unavailable();
      const found = await findIn(known, header);
      if (found.keys.length > 0 || age() < COOLDOWN) return found;
      await refresh();
      // Whether the key is a new one nobody can say while the issuer does not answer.
      if (failed) throw unavailable();
      return findIn(known, header);
    },
    async check() {
      await fetchKeys();
      if (failed) throw failed.error;
      return known?.count ?? 0;
    },
  };
}

function localSet(set: object): Known['find'] {
  try {
    return createLocalJWKSet(set as JSONWebKeySet);
  } catch (cause) {
    throw new IssuerError('its answer is not a key set', { cause });
  }
}

/** Those of a set that fit. @throws Fault unavailable when the one that fits cannot be used */
export async function keysIn(
  find: Known['find'],
  header: JWTHeaderParameters,
  issuer: string,
): Promise<readonly VerifyingKey[]> {
  try {
    return [await find(header)];
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JOSENotSupported) return [];
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw issuerUnavailable(issuer, error);
    const several: VerifyingKey[] = [];
    for await (const key of error) {
      several.push(key);
      if (several.length === MOST_KEYS) break;
    }
    return several;
  }
}
