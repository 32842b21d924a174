// What the configuration says of FHIR Subscriptions.

export interface SubscriptionSettings {
  /** Hosts that may be told: `app.example`, or `*.example` for every host below it. */
  readonly hosts: readonly string[];
  /** Subscriptions of one client that are not off. */
  readonly perClient: number;
  /** Failures in a row after which a Subscription is `error`. */
  readonly errorAfter: number;
  /** Hours of failing after which it is `off`. */
  readonly offHours: number;
  /** Days that events which have arrived are kept for `$events`. */
  readonly keepDays: number;
}

const count = (byDefault: number, maximum: number, description: string) =>
  ({ type: 'integer', minimum: 1, maximum, default: byDefault, description }) as const;

export const SUBSCRIPTIONS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'FHIR Subscriptions of clients (`docs/subscriptions.md`).',
  properties: {
    hosts: {
      type: 'array',
      default: [],
      items: { type: 'string', pattern: '^(\\*\\.)?[a-z0-9-]+(\\.[a-z0-9-]+)*(:\\d{1,5})?$' },
      description:
        'Hosts that may be told, `app.example` or `*.app.example`, a port other than 443 after a colon; none when empty.',
    },
    perClient: count(100, 10_000, 'Subscriptions that one client may have.'),
    errorAfter: count(5, 100, 'Failures in a row after which a Subscription is `error`.'),
    offHours: count(72, 8_760, 'Hours of failing after which it is `off`.'),
    keepDays: count(14, 3_650, 'Days that events which have arrived are kept for `$events`.'),
  },
} as const;
