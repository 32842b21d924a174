// Every setting of Baton: environment variables and the JSON file of BATON_CONFIG, each with its sentence of
// documentation. `npm run docs` prints the README's table from here; a test fails when the table is stale.
import { NOTIFY_SCHEMA } from './notify/settings-schema.ts';
import { SUBSCRIPTIONS_SCHEMA } from './subscriptions/settings.ts';
import { THRESHOLDS } from './sync/alerts/alert-kinds.ts';
import { CONNECTION_SCHEMA } from './sync/connections/connection-schema.ts';

interface Setting {
  readonly doc: string;
  readonly default: string;
  /** May also be given by the file that NAME_FILE names. */
  readonly secret?: true;
}

/** Environment variables, in the order the documentation lists them. */
export const ENVIRONMENT = {
  BATON_HOST: { doc: 'Address to listen on.', default: '127.0.0.1' },
  BATON_PORT: { doc: 'HTTP port; `0` picks a free one.', default: '8080' },
  BATON_BASE_URL: { doc: 'Public base URL, for links, identifiers and tokens.', default: 'from host and port' },
  BATON_DATABASE_URL: {
    doc: '`sqlite:PATH`, `sqlite::memory:` or `postgres://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full` (`docs/operations.md`).',
    default: 'sqlite:./data/baton.db',
    secret: true,
  },
  BATON_DATA_DIR: {
    doc: 'Folder of the signing keys and the sandbox files; the same for all processes on one database.',
    default: "the SQLite file's folder, else `./data`",
  },
  BATON_CONFIG: {
    doc: 'JSON file with facilities, connections, issuers, clients, login, limits, origins, audit, messages, mllp, alerts, channels and subscriptions.',
    default: 'none',
  },
  BATON_SECRETS_DIR: {
    doc: 'Folder of the files that connections made through `/ops/connections` may name as secrets. They may also name variables that begin with `BATON_SECRET_`.',
    default: 'none',
  },
  BATON_SANDBOX: {
    doc: '`on` runs the simulated EHR and the sandbox day; `off` does not.',
    default: '`on` without `BATON_CONFIG` and `BATON_TLS_CERT`, else `off`',
  },
  BATON_AUTH: { doc: '`smart`, or `off` (refused unless bound to loopback).', default: 'smart' },
  BATON_TLS_CERT: { doc: 'PEM file of the certificate, with its chain; makes Baton serve HTTPS.', default: 'none' },
  BATON_TLS_KEY: { doc: 'PEM file of the private key of the certificate.', default: 'none' },
  BATON_TLS_CLIENT_CA: { doc: 'PEM file of who signs the certificates of clients (mutual TLS).', default: 'none' },
  BATON_TLS_CLIENT_AUTH: {
    doc: 'With `BATON_TLS_CLIENT_CA`: `require` a certificate, or `request` one and take clients that have none.',
    default: 'require',
  },
  BATON_TRUST_PROXY: {
    doc: 'Addresses or networks of proxies whose `X-Forwarded-For` is believed, with commas between them.',
    default: 'none',
  },
  BATON_MLLP_PORT: { doc: 'HL7 v2 over MLLP; `0` picks a free port, `off` opens none.', default: '2575' },
  BATON_SENDERS: {
    doc: 'Folder of the files of senders that differ (`docs/intake.md`), instead of `profiles/senders`.',
    default: 'profiles/senders',
  },
  BATON_MLLP_TLS: {
    doc: '`on`: MLLP over TLS, with `BATON_TLS_CERT` and `BATON_TLS_KEY`; `off`: without.',
    default: 'off',
  },
  BATON_MLLP_CLIENT_CA: {
    doc: 'With `BATON_MLLP_TLS`: PEM file of who signs the certificates that senders must show (mutual TLS).',
    default: 'none',
  },
  BATON_REQUIRED_PROFILES: {
    doc: 'Profiles that every write of a type must meet: `Type=canonical` pairs with commas between them.',
    default: 'none',
  },
  BATON_UNKNOWN_PROFILES: {
    doc: 'A resource that claims a profile that is not installed: `warn` takes it, `refuse` does not.',
    default: 'warn',
  },
  BATON_PACKAGE_REGISTRY: {
    doc: 'Where `baton guide add NAME@VERSION` gets packages: an https URL.',
    default: 'https://packages.fhir.org',
  },
  BATON_LOG_LEVEL: {
    doc: 'pino level: fatal, error, warn, info, debug, trace or silent. Logs go to standard error.',
    default: 'info; warn in the sandbox',
  },
} as const satisfies Record<string, Setting>;

const url = { type: 'string', pattern: '^https?://[^\\s]+$' } as const;

const facility = {
  type: 'object',
  additionalProperties: false,
  required: ['code', 'name', 'zone'],
  properties: {
    code: { type: 'string', minLength: 1, description: 'MSH-4 of its messages; `*` stands for every other facility.' },
    name: { type: 'string', minLength: 1, description: 'As people call it.' },
    zone: { type: 'string', minLength: 1, description: 'IANA time zone, e.g. `America/New_York`.' },
    calendar: { type: 'string', default: 'us-federal', description: 'A file in `profiles/calendars`.' },
  },
} as const;

const text = { type: 'string', minLength: 1 } as const;

const introspection = {
  type: 'object',
  additionalProperties: false,
  required: ['clientId'],
  properties: { url, clientId: text, clientSecret: text, clientSecretFile: text },
} as const;

const issuer = {
  type: 'object',
  additionalProperties: false,
  required: ['issuer', 'audience'],
  properties: {
    issuer: { ...url, description: '`iss` of its tokens, to the letter; https unless on this machine.' },
    audience: { ...text, description: '`aud` its tokens must carry.' },
    jwksUrl: { ...url, description: 'Where its public keys are; found by discovery when absent.' },
    introspection: {
      ...introspection,
      description:
        'For tokens that only the issuer can read (RFC 7662): `clientId`, `clientSecretFile` or `clientSecret`, and `url` unless discovery finds it.',
    },
    userClaim: {
      ...text,
      description: 'Claim with the FHIR resource of the person; dots reach into objects.',
      default: 'fhirUser',
    },
    patientClaim: {
      ...text,
      description: 'Claim with the patient in context; when absent `patient`, also within `launch_response`.',
    },
    fhirUserBase: {
      ...url,
      description: 'FHIR base URL in its `fhirUser`, when the people there have the same ids as here.',
    },
    leewaySeconds: {
      type: 'integer',
      minimum: 0,
      maximum: 300,
      default: 30,
      description: 'How much its clock may differ.',
    },
  },
} as const;

const client = {
  type: 'object',
  additionalProperties: false,
  required: ['clientId', 'scope'],
  properties: {
    clientId: { type: 'string', minLength: 1, description: 'As registered.' },
    name: { type: 'string', minLength: 1, maxLength: 100, description: 'As people read it; the id when absent.' },
    type: {
      enum: ['public', 'confidential'],
      description: 'Checked against what it can prove who it is with; derived when absent.',
    },
    scope: { type: 'string', minLength: 1, description: 'Scopes it may ask for, SMART v2 or v1, space-separated.' },
    jwks: {
      type: 'object',
      required: ['keys'],
      properties: { keys: { type: 'array', minItems: 1, items: { type: 'object' } } },
      description: 'Its public keys, for `private_key_jwt`.',
    },
    jwksUrl: { ...url, description: 'Where its public keys are, instead of `jwks`.' },
    secret: { type: 'string', description: 'Its secret, at least 24 random characters; better in `secretFile`.' },
    secretFile: { type: 'string', minLength: 1, description: 'File that holds its secret.' },
    redirectUris: {
      type: 'array',
      items: url,
      default: [],
      description: 'Where people are sent back to: https, or http on this machine; compared exactly.',
    },
    launchUrl: { ...url, description: 'Where EHR launches begin.' },
    trusted: { type: 'boolean', default: false, description: '`true`: people are not asked whether they allow it.' },
  },
} as const;

const login = {
  type: 'object',
  additionalProperties: false,
  required: ['issuer', 'clientId'],
  description: "The site's own OpenID Connect provider, instead of Baton's accounts and passwords.",
  properties: {
    issuer: { ...url, description: 'Its issuer; the rest is discovered.' },
    clientId: { type: 'string', minLength: 1, description: 'As Baton is registered there.' },
    clientSecret: { type: 'string', minLength: 1, description: 'Better in `clientSecretFile`.' },
    clientSecretFile: { type: 'string', minLength: 1, description: 'File that holds the secret.' },
    claim: {
      type: 'string',
      minLength: 1,
      default: 'fhirUser',
      description: 'Claim of its id tokens with a reference such as `Practitioner/12`.',
    },
  },
} as const;

const perMinute = (description: string, byDefault: number) =>
  ({ type: 'integer', minimum: 1, default: byDefault, description }) as const;

const limits = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'How much one client may ask for.',
  properties: {
    perClient: perMinute('Requests per minute of a client that has a token.', 60_000),
    clients: {
      type: 'object',
      additionalProperties: { type: 'integer', minimum: 1 },
      default: {},
      description: 'Client id to another number.',
    },
    perAddress: perMinute('Requests per minute without a good token from one network address.', 3_000),
  },
} as const;

const audit = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'The audit trail.',
  properties: {
    keepDays: {
      type: 'integer',
      minimum: 1,
      description:
        'Days that records are kept before the oldest are removed; for ever when absent. HIPAA asks for six years (2192).',
    },
  },
} as const;

const seconds = (value: number, description: string) =>
  ({ type: 'integer', minimum: 1, default: value, description }) as const;

const alerts = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'When operators are told of the connections: `/ops/alerts`, the log, `baton_sync_alert`.',
  properties: {
    lagSeconds: seconds(THRESHOLDS.lagSeconds, 'A change waits so long before it is on its way: `lag.exceeded`.'),
    stalledSeconds: seconds(
      THRESHOLDS.stalledSeconds,
      'A type was not read for so long and for three intervals, or for so long after a time of the schedule: `pull.stalled`.',
    ),
    quarantineSeconds: seconds(THRESHOLDS.quarantineSeconds, 'Nothing was kept aside for so long: `quarantine.quiet`.'),
  },
} as const;

const list = (items: object, description: string) => ({ type: 'array', default: [], items, description }) as const;

const days = (description: string) => ({ type: 'integer', minimum: 1, description }) as const;

const messages = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description:
    'What is kept of exchanges with external servers (`docs/messages.md`) and of received messages (`docs/intake.md`).',
  properties: {
    keepDays: days('Days that messages are kept; for ever when absent. What is unresolved stays.'),
    keepSuccessfulDays: days('Days that those that succeeded are kept; as long as the others when absent.'),
  },
} as const;

const mllp = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'What senders of HL7 v2 over MLLP may do.',
  properties: {
    maxConnections: { type: 'integer', minimum: 1, default: 100, description: 'At the same time.' },
    maxPerAddress: { type: 'integer', minimum: 1, default: 20, description: 'At the same time from one address.' },
    idleSeconds: seconds(600, 'A connection on which nothing comes for so long is closed.'),
    messageSeconds: seconds(60, 'A message that takes longer to come is not waited for.'),
  },
} as const;

/** The file that BATON_CONFIG names. */
export const FILE_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    facilities: list(facility, 'Where patients are discharged from: time zone and business calendar.'),
    connections: list(CONNECTION_SCHEMA, 'External FHIR servers.'),
    issuers: list(issuer, 'Authorization servers whose tokens Baton accepts beside its own.'),
    clients: list(client, 'Applications and backend services that may get tokens from Baton.'),
    login,
    limits,
    corsOrigins: list(
      { type: 'string', pattern: '^(\\*|https?://\\S+)$' },
      'Origins of browser apps, like `https://app.example`. `*` opens only the metadata and `.well-known`.',
    ),
    audit,
    messages,
    mllp,
    alerts,
    notify: NOTIFY_SCHEMA,
    subscriptions: SUBSCRIPTIONS_SCHEMA,
  },
} as const;
