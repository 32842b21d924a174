// The client's public keys, from where it publishes them, as Epic and Oracle Health ask for them.
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { createSend } from '../../../remote/client.ts';

const KEEP_MS = 300_000;

/**
 * How the key of an assertion is found: the published set, read at most every five minutes and anew for a key that is not
 * in it.
 * @param fetch how this process reaches others @param now milliseconds
 */
export function publishedKeys(url: string, fetch: typeof globalThis.fetch, now: () => number): JWTVerifyGetKey {
  const send = createSend({ fetch });
  let known: { readonly keys: ReturnType<typeof createLocalJWKSet>; readonly at: number } | undefined;
  const read = async () => {
    const result = await send({ method: 'GET', url, headers: { accept: 'application/json' } });
    if (!result.ok || result.value.status !== 200) {
      throw new errors.JWKSInvalid(`The keys at ${url} cannot be read.`);
    }
    known = { keys: createLocalJWKSet(JSON.parse(result.value.text) as JSONWebKeySet), at: now() };
    return known.keys;
  };
  return async (header, token) => {
    const fresh = known && now() - known.at < KEEP_MS ? known.keys : await read();
    try {
      return await fresh(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      return (await read())(header, token);
    }
  };
}
