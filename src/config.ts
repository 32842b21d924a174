// Environment and file -> one frozen, checked Config. The only reader of process.env; a wrong value stops the start with
// a sentence that says which, why and what to do.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import type { OutsideLoginConfig } from './access/oauth/outside-login.ts';
import type { Registration } from './access/oauth/registration.ts';
import { isLoopback, isTrustworthy } from './access/trustworthy-url.ts';
import { type ClientConfig, type LoginConfig, loginOf, registrationsOf } from './config-clients.ts';
import { ConfigError } from './config-error.ts';
import { type IssuerConfig, readIssuer, type WrittenIssuer } from './config-issuers.ts';
import {
  checkOrigins,
  type LimitsConfig,
  type MllpConfig,
  readMllpTls,
  readTls,
  readTrustedProxies,
  type TlsConfig,
} from './config-network.ts';
import { ENVIRONMENT, FILE_SCHEMA } from './config-schema.ts';
import { namedSecrets, type ReadNamedSecret, SECRET_PREFIX } from './named-secrets.ts';
import { notifyProblems } from './notify/check-settings.ts';
import type { NotifySettings } from './notify/settings.ts';
import { type Environment, withSecretFiles, withSecretMembers } from './secret-files.ts';
import type { SubscriptionSettings } from './subscriptions/settings.ts';
import type { AlertThresholds } from './sync/alerts/alert-kinds.ts';
import { problemsOf } from './sync/connections/read-connection.ts';
import type { Connection } from './sync/connections/settings.ts';

export { ConfigError };

export interface FacilityConfig {
  readonly code: string;
  readonly name: string;
  readonly zone: string;
  readonly calendar: string;
}

export interface AuditConfig {
  /** Days that audit records are kept; for ever when absent. */
  readonly keepDays?: number;
}

export interface ConfigFile {
  readonly audit: AuditConfig;
  /** How long messages of sync are kept. */
  readonly messages: { readonly keepDays?: number; readonly keepSuccessfulDays?: number };
  readonly mllp: MllpConfig;
  readonly alerts: AlertThresholds;
  /** How people are reached about follow-ups. */
  readonly notify: NotifySettings;
  /** FHIR Subscriptions of clients. */
  readonly subscriptions: SubscriptionSettings;
  readonly facilities: readonly FacilityConfig[];
  readonly connections: readonly Connection[];
  readonly issuers: readonly IssuerConfig[];
  /** Applications that may get tokens from Baton. */
  readonly clients: readonly Registration[];
  /** The site's own identity provider; undefined: people sign in with passwords of Baton's. */
  readonly login: OutsideLoginConfig | undefined;
  readonly limits: LimitsConfig;
  readonly corsOrigins: readonly string[];
}

/** The file as it is written. */
type FileContent = Omit<ConfigFile, 'issuers' | 'clients' | 'login'> & {
  readonly issuers: readonly WrittenIssuer[];
  readonly clients: readonly ClientConfig[];
  readonly login?: LoginConfig;
};

export interface Config extends ConfigFile {
  readonly host: string;
  readonly port: number;
  /** Without trailing slash; undefined means: from host and the port in use. */
  readonly baseUrl: string | undefined;
  readonly databaseUrl: string;
  /** Where keys and the sandbox's own files live. */
  readonly dataDir: string;
  readonly sandbox: boolean;
  readonly auth: 'smart' | 'off';
  /** undefined: plain HTTP. */
  readonly tls: TlsConfig | undefined;
  /** Addresses and networks. */
  readonly trustProxy: readonly string[];
  /** undefined: no MLLP listener. */
  readonly mllpPort: number | undefined;
  /** Folder of the files of senders; undefined: Baton's own. */
  readonly senders: string | undefined;
  /** undefined: MLLP without TLS. */
  readonly mllpTls: TlsConfig | undefined;
  readonly logLevel: string;
  /** Resource type to canonicals of profiles. */
  readonly requiredProfiles: Readonly<Record<string, readonly string[]>>;
  readonly unknownProfiles: 'warn' | 'refuse';
  /** Without trailing slash. */
  readonly packageRegistry: string;
  /** Reads what connections name as secrets, when they need it. */
  readonly readSecret: ReadNamedSecret;
}

/** Variables that may also be given by a file: NAME_FILE. */
const SECRETS = Object.entries(ENVIRONMENT).flatMap(([key, setting]) => ('secret' in setting ? [key] : []));

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** @throws ConfigError */
export function loadConfig(given: Environment = process.env): Config {
  refuseUnknownVariables(given);
  const env = withSecretFiles(given, SECRETS);
  const file = env.BATON_CONFIG ? readFile(env.BATON_CONFIG) : parseFile({}, 'defaults');
  const tls = readTls(env);
  const sandbox = oneOf(env, 'BATON_SANDBOX', ['on', 'off'], env.BATON_CONFIG || tls ? 'off' : 'on') === 'on';
  const databaseUrl = env.BATON_DATABASE_URL || ENVIRONMENT.BATON_DATABASE_URL.default;
  const config: Config = {
    ...file,
    host: env.BATON_HOST || ENVIRONMENT.BATON_HOST.default,
    port: port(env, 'BATON_PORT'),
    baseUrl: baseUrl(env.BATON_BASE_URL),
    databaseUrl,
    dataDir: dataDir(env, databaseUrl),
    sandbox,
    auth: oneOf(env, 'BATON_AUTH', ['smart', 'off'], 'smart'),
    tls,
    trustProxy: readTrustedProxies(env.BATON_TRUST_PROXY),
    mllpPort: env.BATON_MLLP_PORT === 'off' ? undefined : port(env, 'BATON_MLLP_PORT'),
    senders: env.BATON_SENDERS && resolve(env.BATON_SENDERS),
    mllpTls: readMllpTls(env, tls),
    logLevel: oneOf(env, 'BATON_LOG_LEVEL', LOG_LEVELS, sandbox ? 'warn' : 'info'),
    requiredProfiles: requiredProfiles(env.BATON_REQUIRED_PROFILES),
    unknownProfiles: oneOf(env, 'BATON_UNKNOWN_PROFILES', ['warn', 'refuse'], 'warn'),
    readSecret: namedSecrets(env, {
      configured: env.BATON_CONFIG ? dirname(resolve(env.BATON_CONFIG)) : undefined,
      managed: env.BATON_SECRETS_DIR,
    }),
    packageRegistry: packageRegistry(env.BATON_PACKAGE_REGISTRY || ENVIRONMENT.BATON_PACKAGE_REGISTRY.default),
  };
  if (config.auth === 'off' && !isLoopback(config.host)) {
    throw new ConfigError(
      `BATON_AUTH=off is refused because BATON_HOST=${config.host} is reachable from other machines. ` +
        'Set BATON_AUTH=smart, or bind to 127.0.0.1.',
    );
  }
  if (sandbox && tls) {
    throw new ConfigError('BATON_TLS_CERT needs BATON_SANDBOX=off: the sandbox talks to itself without TLS.');
  }
  return Object.freeze(config);
}

/** A sentence when tokens and health data would cross the network unencrypted, as far as Baton can tell. */
export function warningOfPlainHttp({ host, tls, baseUrl }: Config): string | undefined {
  if (tls || isLoopback(host) || baseUrl?.startsWith('https:')) return undefined;
  return `Baton listens on ${host} without TLS: set BATON_TLS_CERT and BATON_TLS_KEY, or an https BATON_BASE_URL when a proxy has the certificate.`;
}

function refuseUnknownVariables(env: Environment): void {
  const isKnown = (key: string) =>
    key in ENVIRONMENT || SECRETS.includes(key.replace(/_FILE$/, '')) || key.startsWith(SECRET_PREFIX);
  const unknown = Object.keys(env).filter((key) => key.startsWith('BATON_') && !isKnown(key));
  if (unknown.length > 0) {
    throw new ConfigError(
      `Unknown setting ${unknown.join(', ')}. Baton reads ${Object.keys(ENVIRONMENT).join(', ')}; check the spelling.`,
    );
  }
}

function oneOf<T extends string>(env: Environment, key: string, allowed: readonly T[], byDefault: NoInfer<T>): T {
  const value = env[key] || byDefault;
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new ConfigError(`${key} must be ${allowed.join(' or ')}, not "${value}".`);
  return found;
}

function port(env: Environment, key: 'BATON_PORT' | 'BATON_MLLP_PORT'): number {
  const text = env[key] || ENVIRONMENT[key].default;
  const value = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (value < 0 || value > 65_535)
    throw new ConfigError(`${key} must be a port number from 0 to 65535, not "${text}".`);
  return value;
}

function baseUrl(text: string | undefined): string | undefined {
  if (!text) return undefined;
  if (!URL.canParse(text) || !/^https?:/.test(text)) {
    throw new ConfigError(`BATON_BASE_URL must be an absolute http or https URL, not "${text}".`);
  }
  return text.replace(/\/+$/, '');
}

/** `Patient=http://…|7.0.0, Task=http://…`; a type may be there several times. */
function requiredProfiles(text: string | undefined): Record<string, string[]> {
  const required: Record<string, string[]> = {};
  for (const pair of (text ?? '').split(',').map((part) => part.trim())) {
    if (pair === '') continue;
    const [, type, profile] = /^([A-Z][A-Za-z]*)=([a-z][a-z0-9+.-]*:\S+)$/.exec(pair) ?? [];
    if (type === undefined || profile === undefined) {
      throw new ConfigError(
        `BATON_REQUIRED_PROFILES must be pairs like Patient=http://example.org/StructureDefinition/x, not "${pair}".`,
      );
    }
    required[type] = [...(required[type] ?? []), profile];
  }
  return required;
}

/** A registry is trusted with what validation checks, so nobody on the way may change it; this machine may be asked plainly. */
function packageRegistry(text: string): string {
  if (!isTrustworthy(text)) {
    throw new ConfigError(`BATON_PACKAGE_REGISTRY must be an https URL, not "${text}".`);
  }
  return text.replace(/\/+$/, '');
}

/** Keys belong beside the database when that is a file. */
function dataDir(env: Environment, databaseUrl: string): string {
  const sqlitePath = /^sqlite:(.+)$/.exec(databaseUrl)?.[1];
  if (sqlitePath === undefined && !isPostgresUrl(databaseUrl)) {
    throw new ConfigError(
      'BATON_DATABASE_URL must be sqlite:PATH, sqlite::memory: or postgres://USER:PASSWORD@HOST/DATABASE, ' +
        `not "${databaseUrl.split(':')[0]}:…".`,
    );
  }
  const isFile = sqlitePath !== undefined && sqlitePath !== ':memory:';
  return resolve(env.BATON_DATA_DIR || (isFile ? dirname(sqlitePath) : './data'));
}

function isPostgresUrl(text: string): boolean {
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) return false;
  return new URL(text).pathname.length > 1;
}

/** The database as people and logs may see it: without its password. */
export function describeDatabase(databaseUrl: string): string {
  if (!isPostgresUrl(databaseUrl)) return databaseUrl;
  const { protocol, username, host, pathname } = new URL(databaseUrl);
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`;
}

function readFile(path: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(
      `BATON_CONFIG names ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${path} is not JSON: ${(error as Error).message}`);
  }
  return parseFile(value, path);
}

let check: ValidateFunction<FileContent> | undefined;

function parseFile(value: unknown, path: string): ConfigFile {
  const options = { useDefaults: true, allErrors: true, discriminator: true, validateSchema: false };
  check ??= new Ajv(options).compile<FileContent>(FILE_SCHEMA);
  const copy = withSecretMembers(value, dirname(resolve(path)));
  if (!check(copy)) {
    const lines = (check.errors ?? []).map((e) =>
      `  ${e.instancePath || '/'} ${e.message} ${detail(e.params)}`.trimEnd(),
    );
    throw new ConfigError(`${path} is not a valid configuration:\n${lines.join('\n')}`);
  }
  for (const { code, zone } of copy.facilities) checkZone(code, zone);
  checkOrigins(copy.corsOrigins);
  for (const connection of copy.connections) checkConnection(path, connection);
  const [notifyProblem] = notifyProblems(copy.notify);
  if (notifyProblem !== undefined) throw new ConfigError(`${path}: notify, ${notifyProblem}`);
  refuseDuplicates(
    path,
    'facility code',
    copy.facilities.map((facility) => facility.code),
  );
  refuseDuplicates(
    path,
    'connection name',
    copy.connections.map((connection) => connection.name),
  );
  refuseDuplicates(
    path,
    'issuer',
    copy.issuers.map(({ issuer }) => issuer),
  );
  refuseDuplicates(
    path,
    'client',
    copy.clients.map((client) => client.clientId),
  );
  try {
    return {
      ...copy,
      issuers: copy.issuers.map((issuer) => readIssuer(issuer, path)),
      clients: registrationsOf(copy.clients),
      login: loginOf(copy.login),
    };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${path}: ${(error as Error).message}`);
  }
}

function detail(params: Record<string, unknown>): string {
  if ('additionalProperty' in params) return `(${String(params.additionalProperty)})`;
  return Array.isArray(params.allowedValues) ? `(${params.allowedValues.join(', ')})` : '';
}

function checkZone(code: string, zone: string): void {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
  } catch {
    throw new ConfigError(
      `Facility ${code} has the time zone "${zone}", which is not an IANA name like America/New_York.`,
    );
  }
}

function checkConnection(path: string, connection: Connection): void {
  const [problem] = problemsOf(connection);
  if (problem) throw new ConfigError(`${path}: connection ${connection.name}, ${problem.path}: ${problem.sentence}`);
}

function refuseDuplicates(path: string, what: string, values: readonly string[]): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined) throw new ConfigError(`${path} has the ${what} "${twice}" twice.`);
}
