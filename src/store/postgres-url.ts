// `postgres://user:password@host:port/database?sslmode=verify-full` as the client's settings.
// https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-CONNSTRING-URIS
import { readFileSync } from 'node:fs';
import type { ClientConfig } from 'pg';
import { Fault } from '../fault.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const SSL_MODES = ['disable', 'require', 'verify-full'];

/**
 * TLS by `sslmode`: `disable` (also when absent), `require` (encrypted, the server's certificate is not checked) or
 * `verify-full`, with `sslrootcert`, `sslcert` and `sslkey` as PEM files. A socket's folder goes into `?host=/folder`.
 * @throws Fault invalid; never quotes the URL, which holds a password
 */
export function postgresSettings(url: string): ClientConfig {
  if (!URL.canParse(url)) throw new Fault('invalid', 'BATON_DATABASE_URL is not a URL.');
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const known = ['host', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'application_name', 'options'];
  const unknown = [...searchParams.keys()].filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Fault('invalid', `BATON_DATABASE_URL has ${unknown.join(', ')}; Baton knows ${known.join(', ')}.`);
  }
  const database = decodeURIComponent(pathname.slice(1));
  if (database === '') throw new Fault('invalid', 'BATON_DATABASE_URL must name the database: postgres://…/baton.');
  const options = searchParams.get('options');
  return {
    host: searchParams.get('host') ?? decodeURIComponent(hostname || 'localhost').replace(/^\[|\]$/g, ''),
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database,
    ssl: tls(searchParams),
    application_name: searchParams.get('application_name') ?? 'baton',
    ...(options === null ? {} : { options }),
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
}

function tls(query: URLSearchParams): ClientConfig['ssl'] {
  const mode = query.get('sslmode') ?? 'disable';
  if (!SSL_MODES.includes(mode)) {
    throw new Fault('invalid', `sslmode in BATON_DATABASE_URL must be ${SSL_MODES.join(', ')}.`);
  }
  if (mode === 'disable') return false;
  const pem = (name: string) => {
    const path = query.get(name);
    if (path === null) return undefined;
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      throw new Fault('invalid', `${name} in BATON_DATABASE_URL names a file that cannot be read.`, { cause });
    }
  };
  const [ca, cert, key] = [pem('sslrootcert'), pem('sslcert'), pem('sslkey')];
  return {
    rejectUnauthorized: mode === 'verify-full',
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  };
}
