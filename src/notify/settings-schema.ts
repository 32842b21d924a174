// The part of the configuration file that says how people are reached.
const text = { type: 'string', minLength: 1 } as const;
const time = { type: 'string', pattern: '^([01]\\d|2[0-3]):[0-5]\\d$' } as const;
const names = (description: string) => ({ type: 'array', items: text, minItems: 1, description }) as const;

const common = {
  name: { type: 'string', pattern: '^[a-z0-9-]{1,64}$', description: 'What routes call it.' },
  attempts: { type: 'integer', minimum: 1, maximum: 20, default: 5, description: 'Before the next channel has it.' },
  digestMinutes: {
    type: 'integer',
    minimum: 0,
    maximum: 1440,
    default: 0,
    description: 'Messages that are not urgent wait so long for others to the same address.',
  },
  quiet: {
    type: 'object',
    additionalProperties: false,
    required: ['from', 'until'],
    properties: { from: time, until: time },
    description: "Between these times of the facility's day only urgent messages leave.",
  },
} as const;

const webhook = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'kind', 'url', 'secret'],
  properties: {
    ...common,
    kind: { const: 'webhook' },
    url: { ...text, description: 'https, or http on this machine.' },
    secret: { ...text, description: 'Of Standard Webhooks, `whsec_…`; better in `secretFile`.' },
  },
} as const;

const email = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'kind', 'host', 'from'],
  properties: {
    ...common,
    kind: { const: 'email' },
    host: { ...text, description: 'SMTP server.' },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 587 },
    secure: {
      type: 'boolean',
      default: false,
      description: '`true`: TLS from the first byte; `false`: STARTTLS, which is required.',
    },
    user: text,
    password: { ...text, description: 'Better in `passwordFile`.' },
    from: { ...text, description: 'Address of the sender.' },
    caFile: { ...text, description: "PEM file of who signed the server's certificate." },
  },
} as const;

const route = {
  type: 'object',
  additionalProperties: false,
  required: ['channels'],
  properties: {
    facilities: names('Codes of facilities; all when absent.'),
    reasons: names('Codes of message-reason; all when absent.'),
    recipients: names('References such as `Practitioner/12`; all when absent.'),
    channels: names('Channels, in the order in which they are tried.'),
    addresses: names('Mail addresses instead of those of the recipients.'),
    supervisor: {
      type: 'object',
      additionalProperties: false,
      required: ['channel'],
      properties: { channel: text, addresses: names('Mail addresses.') },
      description: 'Who is told when all channels have failed.',
    },
  },
} as const;

export const NOTIFY_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'How people are reached about follow-ups (`docs/follow-ups.md`).',
  properties: {
    channels: {
      type: 'array',
      default: [],
      items: {
        type: 'object',
        discriminator: { propertyName: 'kind' },
        required: ['kind'],
        oneOf: [webhook, email],
      },
      description: 'E-mail servers and webhooks.',
    },
    operators: {
      type: 'object',
      additionalProperties: false,
      required: ['channels'],
      properties: {
        channels: names('Channels, in the order in which they are tried.'),
        addresses: names('Mail addresses; a channel of mail needs them.'),
        alerts: names('Names of alerts such as `heartbeat.stopped`; all when absent.'),
      },
      description: 'Who is told of alerts, at once and at any hour.',
    },
    routes: { type: 'array', default: [], items: route, description: 'Which channels a message takes.' },
    link: {
      ...text,
      description: 'Where messages lead; `{task}` is the id of the Task. The FHIR API when absent.',
    },
  },
} as const;
