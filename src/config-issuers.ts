// What is checked of the configured issuers beyond their shape: addresses that can be trusted, and secrets out of files.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
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

/** As it is written in the file: the secret may be in another file. */
export type WrittenIssuer = Omit<IssuerConfig, 'introspection'> & {
  readonly introspection?: {
    readonly url?: string;
    readonly clientId: string;
    readonly clientSecret?: string;
    readonly clientSecretFile?: string;
  };
};

/**
 * @param path of the configuration file; files that it names are looked for beside it
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
  const { clientSecret, clientSecretFile, ...client } = introspection;
  if ((clientSecret === undefined) === (clientSecretFile === undefined)) {
    throw complain('needs introspection.clientSecretFile or introspection.clientSecret, one of them.');
  }
  const secret = clientSecret ?? readSecret(resolve(dirname(path), clientSecretFile ?? ''), complain);
  return { issuer, ...rest, introspection: { ...client, clientSecret: secret } };
}

function readSecret(file: string, complain: (sentence: string) => ConfigError): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw complain(`names the secret file ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  // Editors end a file with a line end; a secret has none.
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw complain(`names the secret file ${file}, which is empty.`);
  return secret;
}

/** https, or plain http that does not leave this machine. */
function isTrustworthy(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, '')));
}

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
