// Whom Baton believes: itself and the issuers of the configuration, each with its keys or its introspection.

import { createLocalJWKSet } from 'jose';
import type { Clock } from '../clock.ts';
import { fhirBase } from '../fhir/base-url.ts';
import { createIntrospector, type Introspector } from './introspection.ts';
import { type Agreement, agreementWith, DEFAULT_CLAIMS, type Issuer, LEEWAY_SECONDS } from './issuer.ts';
import { type AskOptions, createAskIssuer, IssuerError } from './issuer-http.ts';
import { type IssuerKeys, issuerKeys, type KeySource, keysIn } from './issuer-keys.ts';
import type { Keys } from './keys.ts';

export interface TrustOptions {
  readonly keys: Keys;
  readonly issuers: readonly Issuer[];
  /** Baton's own base URL: `iss` of its tokens, and with `/fhir/R4` their `aud`. */
  readonly baseUrl: () => string;
  readonly clock: Clock;
  /** For other issuers. */
  readonly fetch?: AskOptions['fetch'];
  /** How long an issuer may take to answer; 5 s when absent. */
  readonly issuerTimeout?: AskOptions['timeout'];
}

/** An issuer that is believed. Exactly one of `keys` and `introspector` is there. */
export interface Trusted {
  readonly agreement: Agreement;
  readonly keys?: KeySource;
  readonly introspector?: Introspector;
  /** Its access tokens say so in their `typ`: RFC 9068. */
  readonly isStrict: boolean;
}

/** An issuer of the configuration, ready to be asked. */
interface Other {
  readonly issuer: Issuer;
  readonly keys?: IssuerKeys;
  readonly introspector?: Introspector;
}

/** What `baton doctor` says about an issuer. */
export interface IssuerCheck {
  readonly issuer: string;
  readonly good: boolean;
  readonly sentence: string;
}

export interface Trust {
  /** Undefined for everybody else. */
  find(issuer: unknown): Trusted | undefined;
  /** Baton's own authorization server. */
  own(): Trusted;
  /** Issuers that are asked about tokens nobody else can read. */
  readonly introspecting: readonly { readonly issuer: string; readonly introspector: Introspector }[];
  /** Asks each issuer. */
  check(): Promise<readonly IssuerCheck[]>;
}

export function createTrust(options: TrustOptions): Trust {
  const { issuers, clock, baseUrl } = options;
  const ask = createAskIssuer({ fetch: options.fetch, timeout: options.issuerTimeout });
  const others = new Map(
    issuers.map((issuer) => {
      const { introspection } = issuer;
      const other: Other = introspection
        ? { issuer, introspector: createIntrospector(issuer, introspection, ask, clock) }
        : { issuer, keys: issuerKeys(issuer, ask, clock) };
      return [issuer.issuer, other] as const;
    }),
  );
  const ownKeys = ownKeySource(options.keys);

  const own = (): Trusted => ({ agreement: ownAgreement(baseUrl()), keys: ownKeys, isStrict: true });

  return {
    own,
    find(issuer) {
      if (issuer === baseUrl()) return own();
      const other = typeof issuer === 'string' ? others.get(issuer) : undefined;
      if (!other) return undefined;
      const { issuer: config, ...source } = other;
      return { agreement: agreementWith(config, fhirBase(baseUrl())), isStrict: false, ...source };
    },
    introspecting: [...others].flatMap(([issuer, other]) =>
      other.introspector ? [{ issuer, introspector: other.introspector }] : [],
    ),
    check: () => Promise.all([...others.values()].map(checkOne)),
  };
}

function ownAgreement(base: string): Agreement {
  const fhir = fhirBase(base);
  return { issuer: base, audiences: [base, fhir], leewaySeconds: LEEWAY_SECONDS, ...DEFAULT_CLAIMS, bases: [fhir] };
}

/** Own access tokens are signed by one key, which never changes while Baton runs. */
function ownKeySource(keys: Keys): KeySource {
  const key = keys.jwks.keys.find((candidate) => candidate.kid === keys.token.keyId);
  if (!key) throw new Error('The token key is missing from the published key set.');
  const find = createLocalJWKSet({ keys: [key] });
  return {
    generation: 0,
    find: async (header) => ({ keys: await keysIn(find, header, 'Baton'), generation: 0 }),
  };
}

async function checkOne({ issuer: { issuer }, keys, introspector }: Other): Promise<IssuerCheck> {
  const what = introspector ? 'introspection' : 'keys';
  try {
    if (introspector) await introspector.check();
    const count = await keys?.check();
    const found = count === undefined ? 'introspection answers' : `${count} ${count === 1 ? 'key' : 'keys'}`;
    return { issuer, good: count !== 0, sentence: found };
  } catch (error) {
    const reason = error instanceof IssuerError ? error.message : 'its answer cannot be used';
    return { issuer, good: false, sentence: `${what}: ${reason}` };
  }
}
