// Mutual TLS: the certificate that a connection shows, and whom it believes. Goes with every kind of authorization, and
// to the token endpoint too.
import { createRequire } from 'node:module';
import type * as Undici from 'undici';
import type { NamedSecret, ReadSecret } from './named-secret.ts';

/** PEM texts by name. `cert` and `key` belong together; `ca` alone trusts a private authority. */
export interface TlsSettings {
  readonly cert?: NamedSecret;
  readonly key?: NamedSecret;
  /** Instead of the authorities that Node knows. */
  readonly ca?: NamedSecret;
}

/** PEM texts as they are now. */
export type TlsTexts = { readonly cert?: string; readonly key?: string; readonly ca?: string };

export interface CertifiedFetch {
  /** As the global one. @throws Fault when a file or variable is missing; then nothing was sent */
  readonly fetch: typeof globalThis.fetch;
  close(): Promise<void>;
}

/** Files are looked at again so often; a renewed certificate is in use no later. */
const LIFETIME = 60_000;

/** Loaded for the first connection that has a certificate: most have none, and it is as large as the rest of sync. */
let loaded: typeof Undici | undefined;
function library(): typeof Undici {
  loaded ??= createRequire(import.meta.url)('undici') as typeof Undici;
  return loaded;
}

/** @throws Fault */
export function readTls(settings: TlsSettings, readSecret: ReadSecret): TlsTexts {
  const { cert, key, ca } = settings;
  return {
    ...(cert ? { cert: readSecret(cert) } : {}),
    ...(key ? { key: readSecret(key) } : {}),
    ...(ca ? { ca: readSecret(ca) } : {}),
  };
}

/** @param now the machine's clock, epoch milliseconds */
export function certifiedFetch(settings: TlsSettings, readSecret: ReadSecret, now: () => number): CertifiedFetch {
  const { Agent, fetch: fetchBy } = library();
  let made: { readonly agent: Undici.Agent; readonly texts: string } | undefined;
  let until = 0;

  function agent(): Undici.Agent {
    if (made && now() < until) return made.agent;
    const tls = readTls(settings, readSecret);
    const texts = JSON.stringify(tls);
    until = now() + LIFETIME;
    if (made?.texts === texts) return made.agent;
    // The old one finishes what is under way.
    void made?.agent.close();
    made = { agent: new Agent({ connect: tls }), texts };
    return made.agent;
  }
  // Node's own fetch takes agents of its own undici only; the two differ in their types, not in what they do.
  const fetch = (url: string, init: object) => fetchBy(url, { ...init, dispatcher: agent() });
  return {
    fetch: fetch as unknown as typeof globalThis.fetch,
    async close() {
      const last = made?.agent;
      made = undefined;
      await last?.close();
    },
  };
}
