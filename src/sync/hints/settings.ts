// What a connection says about hints: how its remote shows that it may notify, and whether Baton asks it to.
import type { NamedSecret } from '../../remote/named-secret.ts';

export interface HintSettings {
  /** What the remote sends in `X-Baton-Hook`. Absent: only a Baton token with `baton/intake` opens the hook. */
  readonly secret?: NamedSecret;
  /** Baton makes and renews a Subscription per type where the remote offers that; needs `secret`. */
  readonly subscribe?: boolean;
}

/** Where a remote is asked to notify. */
export interface Hook {
  /** Without the type. */
  readonly url: string;
  readonly secret: string;
}

export const HINTS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  dependencies: { subscribe: ['secret'] },
  properties: {
    secret: {
      type: 'object',
      minProperties: 1,
      maxProperties: 1,
      additionalProperties: false,
      properties: {
        env: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$' },
        file: { type: 'string', minLength: 1 },
      },
    },
    subscribe: { type: 'boolean' },
  },
  description:
    'Notifications of the server at `/hooks/NAME`: `secret`, `{"file": …}` or `{"env": …}`, and `subscribe` (`docs/bulk-and-hints.md`).',
} as const;
