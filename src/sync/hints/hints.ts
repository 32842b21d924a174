// The hook of each connection: who may notify, and what becomes of a notification.
import { hash, timingSafeEqual } from 'node:crypto';
import { Fault } from '../../fault.ts';
import type { ConnectionContext } from '../context.ts';
import { acceptHint, type HintReceipt } from './accept-hint.ts';
import type { Notice } from './read-notice.ts';

export interface Hints {
  /** Whether `secret` opens the hook of the connection. Takes as long for a connection that does not exist. */
  opens(connection: string, secret: string): boolean;
  /** Resolves when what the notification hints at is written. @throws Fault not-found */
  accept(connection: string, notice: Notice): Promise<HintReceipt>;
  /** Reads what is hinted at and due, on one connection or on all. */
  take(connection?: string): Promise<void>;
}

export interface HintsOptions {
  readonly find: (connection: string) => ConnectionContext | undefined;
  /** The secret of the connection's hook; undefined when it has none. @throws Fault unavailable when it cannot be read */
  readonly secretOf: (connection: string) => string | undefined;
  readonly take: Hints['take'];
}

export function createHints({ find, secretOf, take }: HintsOptions): Hints {
  return {
    opens(connection, secret) {
      const right = secretOf(connection);
      const same = timingSafeEqual(hash('sha256', secret, 'buffer'), hash('sha256', right ?? '', 'buffer'));
      return right !== undefined && right !== '' && same;
    },
    async accept(connection, notice) {
      const context = find(connection);
      if (!context) throw new Fault('not-found', 'There is no connection of this name.');
      const { mode } = context.connection;
      if (mode !== 'pull' && mode !== 'both') return { accepted: 0 };
      const receipt = await acceptHint(context, notice);
      // Who notifies does not wait for the reading; what is not read now waits for the next heartbeat.
      if (receipt.accepted > 0) setImmediate(() => take(connection).catch(() => undefined));
      return receipt;
    },
    take,
  };
}
