// How Baton meets the network: certificates, proxies in front of it, and pages of other origins.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { ConfigError } from './config-error.ts';
import { type Environment, readSecret } from './secret-files.ts';

/** Paths of PEM files. */
export interface TlsConfig {
  readonly cert: string;
  readonly key: string;
  /** Who signed the certificates that clients show; undefined asks for none. */
  readonly clientCa: string | undefined;
  readonly clientAuth: 'request' | 'require';
}

/** What senders over MLLP may do. */
export interface MllpConfig {
  readonly maxConnections: number;
  readonly maxPerAddress: number;
  readonly idleSeconds: number;
  /** A message that takes longer to come is not waited for. */
  readonly messageSeconds: number;
}

export interface LimitsConfig {
  /** Requests per minute. */
  readonly perClient: number;
  /** Other numbers, by client id. */
  readonly clients: Readonly<Record<string, number>>;
  readonly perAddress: number;
}

/** @throws ConfigError */
export function readTls(env: Environment): TlsConfig | undefined {
  const { BATON_TLS_CERT: cert, BATON_TLS_KEY: key, BATON_TLS_CLIENT_CA: clientCa } = env;
  const clientAuth = env.BATON_TLS_CLIENT_AUTH || 'require';
  if (clientAuth !== 'request' && clientAuth !== 'require') {
    throw new ConfigError(`BATON_TLS_CLIENT_AUTH must be request or require, not "${clientAuth}".`);
  }
  if (env.BATON_TLS_CLIENT_AUTH && !clientCa) {
    throw new ConfigError(
      'BATON_TLS_CLIENT_AUTH needs BATON_TLS_CLIENT_CA: who signed the certificates of the clients.',
    );
  }
  if (!cert && !key && !clientCa) return undefined;
  if (!cert || !key) throw new ConfigError('TLS needs both BATON_TLS_CERT and BATON_TLS_KEY.');
  return { cert, key, clientCa: clientCa || undefined, clientAuth };
}

/**
 * TLS of MLLP: Baton's own certificate, and who signs those of senders.
 * @throws ConfigError
 */
export function readMllpTls(env: Environment, tls: TlsConfig | undefined): TlsConfig | undefined {
  const { BATON_MLLP_TLS: given = 'off', BATON_MLLP_CLIENT_CA: clientCa } = env;
  if (given !== 'on' && given !== 'off' && given !== '') {
    throw new ConfigError(`BATON_MLLP_TLS must be on or off, not "${given}".`);
  }
  if (given !== 'on') {
    if (clientCa) throw new ConfigError('BATON_MLLP_CLIENT_CA needs BATON_MLLP_TLS=on.');
    return undefined;
  }
  if (!tls) throw new ConfigError('BATON_MLLP_TLS=on needs BATON_TLS_CERT and BATON_TLS_KEY.');
  return { ...tls, clientCa: clientCa || undefined, clientAuth: 'require' };
}

/**
 * `10.0.0.5, 10.1.0.0/16`: whose X-Forwarded-For is believed.
 * @throws ConfigError
 */
export function readTrustedProxies(text: string | undefined): string[] {
  const proxies = (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  const wrong = proxies.find((proxy) => !isNetwork(proxy));
  if (wrong === undefined) return proxies;
  throw new ConfigError(`BATON_TRUST_PROXY must be addresses or networks like 10.1.0.0/16, not "${wrong}".`);
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const bits = isIP(address) === 4 ? 32 : 128;
  if (isIP(address) === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= bits);
}

/** @throws ConfigError for what a browser would never send as its Origin */
export function checkOrigins(origins: readonly string[]): void {
  const wrong = origins.find(
    (origin) => origin !== '*' && (!URL.canParse(origin) || new URL(origin).origin !== origin),
  );
  if (wrong === undefined) return;
  throw new ConfigError(`corsOrigins must be origins like https://app.example, without a path, not "${wrong}".`);
}

/**
 * The PEM texts as they are in the files now.
 * @throws ConfigError
 */
export function readCertificates(
  { cert, key, clientCa }: TlsConfig,
  setting = 'BATON_TLS_CLIENT_CA',
): { cert: string; key: string; ca?: string } {
  return {
    cert: readPem(cert, 'BATON_TLS_CERT'),
    key: readSecret(key, 'BATON_TLS_KEY'),
    ...(clientCa === undefined ? {} : { ca: readPem(clientCa, setting) }),
  };
}

function readPem(path: string, setting: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${setting} names ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}
