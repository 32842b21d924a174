// What a connection may say, in the configuration file and through /ops/connections alike. JSON Schema; the descriptions
// are the documentation.
import { BULK_SCHEMA } from '../bulk/settings.ts';
import { HINTS_SCHEMA } from '../hints/settings.ts';
import { MODES } from './settings.ts';

const name = { type: 'string', minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' } as const;
const url = { type: 'string', pattern: '^https?://[^\\s]+$' } as const;
const text = { type: 'string', minLength: 1 } as const;
const resourceType = { type: 'string', pattern: '^[A-Z][A-Za-z]+$' } as const;

/** `{"env": "NAME"}` or `{"file": "/path"}`: never the secret itself. */
const secret = {
  type: 'object',
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: false,
  properties: { env: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }, file: text },
} as const;

const auth = {
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [
    { additionalProperties: false, properties: { type: { const: 'none' } } },
    {
      additionalProperties: false,
      required: ['clientId', 'scope'],
      properties: {
        type: { const: 'smart-backend' },
        tokenUrl: url,
        clientId: text,
        scope: text,
        algorithm: { enum: ['ES384', 'RS384'] },
      },
    },
    {
      additionalProperties: false,
      required: ['clientId', 'secret', 'method'],
      properties: {
        type: { const: 'client-secret' },
        tokenUrl: url,
        clientId: text,
        scope: text,
        method: { enum: ['client_secret_basic', 'client_secret_post'] },
        secret,
      },
    },
    { additionalProperties: false, required: ['token'], properties: { type: { const: 'token' }, token: secret } },
  ],
} as const;

const tls = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  dependencies: { cert: ['key'], key: ['cert'] },
  properties: { cert: secret, key: secret, ca: secret },
} as const;

const schedule = {
  type: 'object',
  additionalProperties: false,
  properties: { pull: text, sweep: text },
} as const;

const pacing = {
  type: 'object',
  additionalProperties: false,
  properties: {
    requestsPerSecond: { type: 'number', exclusiveMinimum: 0, maximum: 10_000 },
    concurrency: { type: 'integer', minimum: 1, maximum: 256 },
  },
} as const;

const patients = {
  type: 'object',
  required: ['kind'],
  discriminator: { propertyName: 'kind' },
  oneOf: [
    { additionalProperties: false, properties: { kind: { const: 'linked' } } },
    {
      additionalProperties: false,
      required: ['id'],
      properties: { kind: { const: 'group' }, id: { type: 'string', pattern: '^[A-Za-z0-9.-]{1,64}$' } },
    },
    { additionalProperties: false, required: ['query'], properties: { kind: { const: 'query' }, query: text } },
  ],
} as const;

const byType = (values: readonly string[]) =>
  ({ type: 'object', propertyNames: resourceType, additionalProperties: { enum: values } }) as const;

export const CONNECTION_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'baseUrl'],
  properties: {
    name: { ...name, description: 'Short name, used in commands and tables; part of links and cursors.' },
    baseUrl: { ...url, description: 'FHIR base URL of the external server.' },
    formerBaseUrls: {
      type: 'array',
      items: url,
      description: 'Addresses that the same server had before; another server needs another connection.',
    },
    vendor: { enum: ['hapi', 'epic', 'oracle', 'generic'], default: 'generic', description: 'Known behaviour.' },
    mode: { enum: MODES, default: 'both', description: 'What may happen at all.' },
    auth: {
      ...auth,
      default: { type: 'none' },
      description:
        '`none`; `smart-backend` (SMART Backend Services, signed with a key of `/.well-known/jwks.json`); `client-secret`; `token`.',
    },
    tls: {
      ...tls,
      description:
        'Mutual TLS: `cert`, `key` and `ca` in PEM, each `{"file": …}` or `{"env": …}`; goes with every `auth`.',
    },
    types: {
      ...byType(['pull', 'push', 'both']),
      default: {},
      description: 'Resource type to direction; types not named do not flow.',
    },
    strategies: {
      ...byType(['history', 'search', 'roster', 'none']),
      description:
        'Resource type to how it is read: `history`, `search`, `roster`, `none`; chosen by ability when absent.',
    },
    patients: {
      ...patients,
      description:
        'Whose records flow: `{"kind": "linked"}`, `{"kind": "group", "id": …}` or `{"kind": "query", "query": …}`; the linked ones when absent.',
    },
    projections: {
      ...byType(['DocumentReference', 'Communication', 'ServiceRequest']),
      description: 'Resource type to what goes out instead, where the server does not take it.',
    },
    overlapSeconds: {
      type: 'integer',
      minimum: 0,
      default: 300,
      description: 'How far each pull looks back before its watermark.',
    },
    pullEverySeconds: {
      type: 'integer',
      minimum: 1,
      default: 60,
      description: 'Time between pulls, in full minutes: less is a minute.',
    },
    schedule: {
      ...schedule,
      description:
        'Cron expressions in UTC, `minute hour day month weekday`: `pull`, instead of `pullEverySeconds`, and `sweep`, nightly when absent.',
    },
    pacing: {
      ...pacing,
      description: "`requestsPerSecond` and `concurrency`, instead of the vendor's.",
    },
    matching: {
      type: 'object',
      additionalProperties: false,
      description: 'How its patients are matched with ours (`docs/patient-matching.md`).',
      properties: {
        rules: { type: 'string', minLength: 1 },
        trusted: { type: 'array', items: { type: 'string', minLength: 1 } },
        automatic: { enum: ['identifiers', 'demographics'] },
        thresholds: {
          type: 'object',
          additionalProperties: false,
          properties: { match: { type: 'number' }, possible: { type: 'number' } },
        },
        owner: { const: 'remote' },
      },
    },
    hints: HINTS_SCHEMA,
    bulk: BULK_SCHEMA,
    recipient: {
      type: 'string',
      pattern: '^[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}$',
      description: 'Who is on the other side, as consents name it: `Organization/12` (`docs/consent.md`).',
    },
    purpose: {
      type: 'string',
      pattern: '^[A-Z0-9]+$',
      default: 'TREAT',
      description: 'Why it gets data: a code of v3-ActReason, for consents.',
    },
  },
} as const;
