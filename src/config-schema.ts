// Every setting of Baton: environment variables and the JSON file of BATON_CONFIG, each with its sentence of
// documentation. `npm run docs` prints the README's table from here; a test fails when the table is stale.

interface Setting {
  readonly doc: string;
  readonly default: string;
}

/** Environment variables, in the order the documentation lists them. */
export const ENVIRONMENT = {
  BATON_HOST: { doc: 'Address to listen on.', default: '127.0.0.1' },
  BATON_PORT: { doc: 'HTTP port; `0` picks a free one.', default: '8080' },
  BATON_BASE_URL: { doc: 'Public base URL, for links, identifiers and tokens.', default: 'from host and port' },
  BATON_DATABASE_URL: {
    doc: '`sqlite:PATH`, `sqlite::memory:` or `postgres://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full` (`docs/operations.md`).',
    default: 'sqlite:./data/baton.db',
  },
  BATON_DATA_DIR: {
    doc: 'Folder of the signing keys and the sandbox files; the same for all processes on one database.',
    default: "the SQLite file's folder, else `./data`",
  },
  BATON_CONFIG: { doc: 'JSON file with facilities, connections, issuers, clients and login.', default: 'none' },
  BATON_SANDBOX: {
    doc: '`on` runs the simulated EHR and the sandbox day; `off` does not.',
    default: '`on` without `BATON_CONFIG`, else `off`',
  },
  BATON_AUTH: { doc: '`smart`, or `off` (refused unless bound to loopback).', default: 'smart' },
  BATON_MLLP_PORT: { doc: 'HL7 v2 over MLLP; `0` picks a free port, `off` opens none.', default: '2575' },
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

const name = { type: 'string', minLength: 1, pattern: '^[A-Za-z0-9_-]+$' } as const;
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

const auth = {
  type: 'object',
  required: ['type'],
  oneOf: [
    { additionalProperties: false, required: ['type'], properties: { type: { const: 'none' } } },
    {
      additionalProperties: false,
      required: ['type', 'clientId', 'scope'],
      properties: {
        type: { const: 'smart-backend' },
        tokenUrl: url,
        clientId: { type: 'string', minLength: 1 },
        scope: { type: 'string', minLength: 1 },
      },
    },
  ],
} as const;

const connection = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'baseUrl'],
  properties: {
    name: { ...name, description: 'Short name, used in commands and tables.' },
    baseUrl: { ...url, description: 'FHIR base URL of the external server.' },
    vendor: { enum: ['hapi', 'epic', 'oracle', 'generic'], default: 'generic', description: 'Known behaviour.' },
    mode: { enum: ['off', 'dry-run', 'pull', 'push', 'both'], default: 'both', description: 'What may happen at all.' },
    auth: {
      ...auth,
      default: { type: 'none' },
      description:
        '`none`, or `smart-backend` (SMART Backend Services, signed with the key of `/.well-known/jwks.json`).',
    },
    types: {
      type: 'object',
      additionalProperties: { enum: ['pull', 'push', 'both'] },
      default: {},
      description: 'Resource type to direction; types not named do not flow.',
    },
    overlapSeconds: {
      type: 'integer',
      minimum: 0,
      default: 300,
      description: 'How far each pull looks back before its watermark.',
    },
    pullEverySeconds: { type: 'integer', minimum: 1, default: 60, description: 'Time between pulls.' },
  },
} as const;

const issuer = {
  type: 'object',
  additionalProperties: false,
  required: ['issuer', 'jwksUrl', 'audience'],
  properties: {
    issuer: { ...url, description: '`iss` of its tokens.' },
    jwksUrl: { ...url, description: 'Where its public keys are.' },
    audience: { type: 'string', minLength: 1, description: '`aud` its tokens must carry.' },
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

const list = (items: object, description: string) => ({ type: 'array', default: [], items, description }) as const;

/** The file that BATON_CONFIG names. */
export const FILE_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    facilities: list(facility, 'Where patients are discharged from: time zone and business calendar.'),
    connections: list(connection, 'External FHIR servers.'),
    issuers: list(issuer, 'Authorization servers whose tokens Baton accepts beside its own.'),
    clients: list(client, 'Applications and backend services that may get tokens from Baton.'),
    login,
  },
} as const;
