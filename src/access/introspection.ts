// Asks an issuer about a token that only it can read. What it knows nothing of is remembered for a few seconds, and only so
// many questions are open at once, so that guessing does not hammer it. https://www.rfc-editor.org/rfc/rfc7662
import { hash, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Claims } from './claims.ts';
import { addressOf } from './discovery.ts';
import type { Introspection, Issuer } from './issuer.ts';
import { type AskIssuer, IssuerError, issuerUnavailable } from './issuer-http.ts';
import { createShortMemory } from './short-memory.ts';

export interface Introspector {
  /** @returns undefined for a token that the issuer does not vouch for. @throws Fault unavailable */
  introspect(token: string): Promise<Claims | undefined>;
  /** Asks about a token that cannot exist, for `baton doctor`. @throws IssuerError */
  check(): Promise<void>;
}

const INACTIVE_SECONDS = 5;
const REMEMBERED = 10_000;
const MOST_AT_ONCE = 32;

export function createIntrospector(
  issuer: Issuer,
  introspection: Introspection,
  ask: AskIssuer,
  clock: Clock,
): Introspector {
  const inactive = createShortMemory<true>(REMEMBERED);
  const authorization = basic(introspection);
  let open = 0;

  const member = 'introspection_endpoint';
  const address = addressOf(introspection.url, { issuer: issuer.issuer, member, ask, clock });
  const seconds = () => clock.real().epochMilliseconds / 1000;

  async function question(token: string): Promise<Claims | undefined> {
    const body = new URLSearchParams({ token, token_type_hint: 'access_token' }).toString();
    const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await ask(await address.find(), { method: 'POST', headers, body });
    if (typeof answer.active !== 'boolean') throw new IssuerError('its answer does not say whether a token is active');
    return answer.active ? answer : undefined;
  }

  return {
    async introspect(token) {
      const key = hash('sha256', token);
      if (inactive.get(key, seconds())) return undefined;
      if (open >= MOST_AT_ONCE) throw issuerUnavailable(issuer.issuer, new IssuerError('too many questions are open'));
      open += 1;
      try {
        const claims = await question(token);
        if (!claims) inactive.put(key, true, seconds() + INACTIVE_SECONDS);
        return claims;
      } catch (error) {
        address.forget();
        throw issuerUnavailable(issuer.issuer, error);
      } finally {
        open -= 1;
      }
    },
    async check() {
      await question(randomBytes(24).toString('base64url'));
    },
  };
}

/** https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1: both halves are form-encoded before they are joined. */
function basic({ clientId, clientSecret }: Introspection): string {
  const encoded = [clientId, clientSecret].map((part) => new URLSearchParams([['', part]]).toString().slice(1));
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
}
