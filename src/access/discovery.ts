// Where an issuer's keys and endpoints are, by its own word.
// https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig and https://www.rfc-editor.org/rfc/rfc8414
import type { Clock } from '../clock.ts';
import { withoutSlash } from './issuer.ts';
import { type AskIssuer, IssuerError } from './issuer-http.ts';
import type { JsonObject } from './strict-json.ts';

/** An address that is configured, or found once an hour. */
export interface Address {
  /** @throws IssuerError */
  find(): Promise<string>;
  /** Looks again next time, because what was found did not work. */
  forget(): void;
}

const FOUND_FOR_SECONDS = 3_600;

export function addressOf(
  configured: string | undefined,
  { issuer, member, ask, clock }: { issuer: string; member: string; ask: AskIssuer; clock: Clock },
): Address {
  let found: { readonly url: string; readonly at: number } | undefined;
  const seconds = () => clock.real().epochMilliseconds / 1000;
  return {
    async find() {
      if (configured) return configured;
      if (!found || seconds() - found.at > FOUND_FOR_SECONDS) {
        found = { url: await discover(issuer, member, ask), at: seconds() };
      }
      return found.url;
    },
    forget() {
      found = undefined;
    },
  };
}

/**
 * @param member `jwks_uri` or `introspection_endpoint`
 * @returns the address that the first document with it names
 * @throws IssuerError when no document of the issuer does
 */
async function discover(issuer: string, member: string, ask: AskIssuer): Promise<string> {
  let reason: IssuerError | undefined;
  for (const url of documentsOf(issuer)) {
    try {
      return addressIn(await ask(url), issuer, member);
    } catch (error) {
      if (!(error instanceof IssuerError)) throw error;
      reason ??= error;
    }
  }
  throw new IssuerError(`discovery fails: ${reason?.message}`, { cause: reason });
}

/** OpenID Connect puts the well-known path after the issuer's, RFC 8414 before it. */
function documentsOf(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  return [
    `${withoutSlash(issuer)}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${withoutSlash(pathname)}`,
  ];
}

function addressIn(document: JsonObject, issuer: string, member: string): string {
  if (document.issuer !== issuer) throw new IssuerError('its document describes another issuer');
  const address = document[member];
  if (typeof address !== 'string') throw new IssuerError(`its document names no ${member}`);
  // An issuer on https that sends Baton to this machine's own services is not an issuer's business.
  if (new URL(issuer).protocol === 'https:' && !address.startsWith('https://')) {
    throw new IssuerError(`its ${member} is not https`);
  }
  return address;
}
