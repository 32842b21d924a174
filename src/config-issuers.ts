// What is checked of the configured issuers beyond their shape: addresses that can be trusted, and one way to check tokens.
import { isTrustworthy } from './access/trustworthy-url.ts';
import { ConfigError } from './config-error.ts';

export interface IssuerConfig {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl?: string;
  readonly introspection?: { readonly url?: string; readonly clientId: string; readonly clientSecret: string };
  readonly userClaim?: string;
  readonly patientClaim?: string;
  readonly fhirUserBase?: string;
  readonly leewaySeconds: number;
}

/** As it is written, with the secret that a file may have held. */
export type WrittenIssuer = Omit<IssuerConfig, 'introspection'> & {
  readonly introspection?: {
    readonly url?: string;
    readonly clientId: string;
    readonly clientSecret?: string;
  };
};

/**
 * @param path of the configuration file, for the sentence
 * @throws ConfigError
 */
export function readIssuer(written: WrittenIssuer, path: string): IssuerConfig {
  const { issuer, jwksUrl, introspection, ...rest } = written;
  const complain = (sentence: string) => new ConfigError(`${path}: The issuer ${issuer} ${sentence}`);
  for (const url of [issuer, jwksUrl, introspection?.url]) {
    if (url !== undefined && !isTrustworthy(url)) {
      throw complain(`has the address ${url}, which is not https. Anybody on the way could make tokens; use https.`);
    }
  }
  if (/[?#]/.test(issuer))
    throw complain('may have neither ? nor # in it: it is compared with `iss`, and tokens have none.');
  if (introspection === undefined) return { issuer, ...rest, ...(jwksUrl === undefined ? {} : { jwksUrl }) };
  if (jwksUrl !== undefined) {
    throw complain('has both jwksUrl and introspection. Say one: tokens are either verified by key or asked about.');
  }
  const { clientSecret, ...client } = introspection;
  if (clientSecret === undefined) {
    throw complain('needs introspection.clientSecretFile or introspection.clientSecret, one of them.');
  }
  return { issuer, ...rest, introspection: { ...client, clientSecret } };
}
