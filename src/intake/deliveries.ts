// What people do about received messages: look, have them taken in again (perhaps corrected), or leave them be. Behind
// /ops/deliveries and `baton deliveries`.
import { Fault } from '../fault.ts';
import type { Actor } from '../store/store.ts';
import type { Channel } from './delivery.ts';
import {
  type DeliveryView,
  dismissDelivery,
  findDeliveries,
  readDelivery,
  type WholeDelivery,
} from './delivery-search.ts';
import { readableMessage } from './er7/charset.ts';
import { repeatNotification } from './notification/repeat-notification.ts';
import type { NotificationParts } from './notification/take-notification.ts';
import type { Intake, Repeated } from './receive.ts';

/** The most that one command takes in again. */
export const MOST_REPEATS = 500;

/** A delivery with its content as text. */
export type ReadDelivery = Omit<WholeDelivery, 'body' | 'original'> & {
  readonly body: string;
  readonly original?: string;
};

export interface RepeatedDelivery extends Pick<DeliveryView, 'id' | 'key'> {
  /** `already-accepted`, `waits-to-be-applied`, `not-repeatable`: nothing was done. With `would-` before it: of a dry run. */
  readonly outcome: string;
  readonly remarks: Repeated['remarks'];
  /** What it changes, without what it says. */
  readonly changes: Repeated['changes'];
}

export interface Deliveries {
  /** @throws Fault not-found */
  read(id: string): Promise<ReadDelivery>;
  /**
   * @param body the message as corrected; what was received first is kept beside it
   * @throws Fault not-found, or unprocessable for one of which only the beginning is kept
   */
  repeat(actor: Actor, id: string, options: { body?: string | undefined; dryRun: boolean }): Promise<RepeatedDelivery>;
  /** Those a filter finds, the oldest first. @throws Fault invalid */
  repeatAll(
    actor: Actor,
    filter: Readonly<Record<string, string>>,
    options: { limit: number; dryRun: boolean },
  ): Promise<RepeatedDelivery[]>;
  /** It needs nothing more. @throws Fault not-found | conflict when it was not refused */
  dismiss(actor: Actor, id: string, because: string): Promise<DeliveryView>;
}

export function createDeliveries(parts: NotificationParts, intake: Pick<Intake, 'again'>): Deliveries {
  const { store } = parts;
  const again: Readonly<Record<Channel, Intake['again']>> = {
    hl7v2: intake.again,
    notification: (kept, options) => repeatNotification(parts, kept, options),
  };
  const repeatOne = async (actor: Actor, id: string, body: string | undefined, dryRun: boolean) => {
    const { key, channel, body: kept, outcome, condition } = await readDelivery(store, id);
    const nothing = (done: string): RepeatedDelivery => ({ id, key, outcome: done, remarks: [], changes: [] });
    if (outcome === 'AA') return nothing('already-accepted');
    if (outcome === 'CA') return nothing('waits-to-be-applied');
    const by = actor.reference;
    const { code, remarks, changes } = await again[channel](
      { key, body: kept, ...(condition === 'too-long' || condition === 'cut' ? { part: condition } : {}) },
      { by, dryRun, ...(body === undefined ? {} : { corrected: body }) },
    );
    return { id, key, outcome: dryRun ? `would-${code}` : code, remarks, changes };
  };
  return {
    async read(id) {
      const { body, original, ...rest } = await readDelivery(store, id);
      return { ...rest, body: readableMessage(body), ...(original ? { original: readableMessage(original) } : {}) };
    },
    repeat: (actor, id, { body, dryRun }) => repeatOne(actor, id, body, dryRun),
    async repeatAll(actor, filter, { limit, dryRun }) {
      const found = await findDeliveries(store, { filter: { waits: 'true', ...filter }, limit });
      const results: RepeatedDelivery[] = [];
      for (const { id } of found.toReversed()) {
        results.push(
          await repeatOne(actor, id, undefined, dryRun).catch((error: unknown): RepeatedDelivery => {
            if (!(error instanceof Fault) || error.kind !== 'unprocessable') throw error;
            return { id, key: '', outcome: 'not-repeatable', remarks: [], changes: [] };
          }),
        );
      }
      return results;
    },
    async dismiss(actor, id, because) {
      const { outcome } = await readDelivery(store, id);
      if (outcome === 'AA') throw new Fault('conflict', 'It was accepted; there is nothing to dismiss.');
      if (outcome === 'CA')
        throw new Fault('conflict', 'It is accepted and is still to be applied; nothing is wrong yet.');
      await store.commit(actor, [], [dismissDelivery(id, actor.reference, because)]);
      const { body: _b, answer: _a, original: _o, ...view } = await readDelivery(store, id);
      return view;
    },
  };
}
