// A message that can be read -> one commit with everything it says and with the message itself; planned again when somebody
// else was faster. The same message again changes nothing and gets the same answer.
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import type { Actor, Store } from '../store/store.ts';
import { settleDelivery } from './accepted.ts';
import { acknowledge } from './acknowledge.ts';
import { type DeliveryFacts, findDelivery, keepDelivery } from './delivery.ts';
import { decodeMessage } from './er7/charset.ts';
import { type Message, parseMessage } from './er7/message.ts';
import { type Forecast, namedChanges } from './forecast.ts';
import { checkHeader } from './header.ts';
import { createKeyedLock } from './keyed-lock.ts';
import { createKnownShared } from './known-shared.ts';
import { type AdtContent, readAdt } from './map/adt.ts';
import { type Facility, type Reading, startReading } from './map/reading.ts';
import { factsOf } from './message-facts.ts';
import { notAheadOf, requireNotAhead } from './not-ahead-of.ts';
import { planChanges } from './plan.ts';
import type { Compartment } from './plan-merge.ts';
import { type AckCode, Refusal, type Remark } from './refusal.ts';
import { isLostRace } from './refusal-of.ts';
import { type Sender, senderOf } from './sender.ts';
import { applySenderMap } from './sender-map/apply-map.ts';
import { ruleOf } from './triggers.ts';

export interface Receipt {
  readonly code: AckCode;
  /** ER7 text of the acknowledgement, segments ended by CR. */
  readonly ack: string;
  /** What goes back over MLLP at once, when that is not just `ack`: none, one, or a commit and an application acknowledgement. */
  readonly answers?: readonly string[];
  /** What goes back over the same connection when the message is applied. */
  readonly later?: Later;
}

export interface Later {
  /** The application acknowledgement; undefined when none is wanted, or nobody waits any more. */
  readonly answer: Promise<string | undefined>;
  /** The connection is gone. */
  forget(): void;
}

/** What became of a message that came before. */
export interface Earlier extends Pick<Receipt, 'code' | 'ack'> {
  /** When it was accepted, while it waits to be applied; `code` and `ack` are then what the sender was told. */
  readonly accepted?: Temporal.Instant;
}

export interface TakeInOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly facilities: readonly Facility[];
  readonly senders?: readonly Sender[] | undefined;
  /** What belongs to a patient: it moves when records of people are merged. */
  readonly parameters: Compartment;
}

/** A message and the row it is kept in. */
export interface Taken {
  readonly bytes: Uint8Array;
  readonly key: string;
  readonly message: Message;
  /** Somebody had it taken in again: a rejection is no final word then. */
  readonly isRepeat?: true;
  readonly correctedBy?: string;
  /** When it was accepted, of one that is in safe storage as accepted. */
  readonly accepted?: Temporal.Instant;
}

export const ACTOR: Actor = { reference: 'Device/baton-intake', kind: 'service' };

/** How often a message is planned again because somebody else changed what it is about. */
const ATTEMPTS = 12;

const BEHIND = 'An earlier message about the same patient is still to be applied.';

/** Types that a message only makes sure of; not having written one is no lost race. */
const SHARED = ['Practitioner', 'Organization', 'Location'];

export function createTakeIn({ store, clock, facilities, senders = [], parameters }: TakeInOptions) {
  const lock = createKeyedLock();
  const known = createKnownShared(clock);

  const answer = (message: Message | undefined, code: AckCode, remarks: readonly Remark[]): Receipt => {
    const controlId = randomUUID().replaceAll('-', '').slice(0, 20);
    return { code, ack: acknowledge(message, { code, remarks, now: clock.now(), controlId }) };
  };

  /** What became of a delivery, when that is final: accepted, applied, or rejected in the same words. */
  const earlier = async ({ key, message, isRepeat, correctedBy }: Taken): Promise<Earlier | undefined> => {
    const delivery = await findDelivery(store, key);
    if (!delivery || delivery.outcome === 'AE' || (isRepeat && delivery.outcome === 'AR')) return undefined;
    const charset = senderOf(senders, message.header.text(3), message.header.text(4))?.charset;
    const isSame = correctedBy === undefined && canonicalOf(delivery.body, charset) === message.canonical;
    if (isSame && delivery.outcome === 'CA') return { code: 'AA', ack: delivery.answer, accepted: delivery.received };
    if (isSame) return { code: delivery.outcome as AckCode, ack: delivery.answer };
    if (delivery.outcome === 'AR') return undefined;
    const text = 'This sender has used the control id for another message; nothing was changed.';
    return answer(message, 'AR', [{ condition: '205', severity: 'E', location: message.header.at(10), text }]);
  };

  const apply = async (taken: Taken, reading: Reading, content: AdtContent): Promise<Receipt> => {
    let receipt: Receipt | undefined;
    const { bytes, key, message, correctedBy } = taken;
    const received = taken.accepted ?? clock.now();
    for (let attempt = 1; ; attempt += 1) {
      const { changes, heard, visitKnown, manner } = await planChanges(store, parameters, known, content);
      const first = receipt === undefined;
      const remarks = remarksOf(reading, visitKnown);
      const accepted = receipt ?? answer(message, 'AA', remarks);
      const facts: DeliveryFacts = { ...factsOf(message, remarks[0]), ...(correctedBy ? { correctedBy } : {}) };
      const kept = { body: bytes, answer: accepted.ack, outcome: 'AA' } as const;
      const row = taken.accepted
        ? settleDelivery(key, { ...kept, ...facts })
        : keepDelivery(key, received, kept, facts);
      try {
        const outcomes = await store.commit(ACTOR, changes, first ? [row, ...heard] : heard, manner);
        receipt = accepted;
        // Another process created the same patient or visit in between: join what this message says with that.
        const joined = outcomes.every((outcome) => outcome.written || SHARED.includes(outcome.type));
        if (joined || attempt >= ATTEMPTS) return accepted;
      } catch (error) {
        if (!isLostRace(error)) throw error;
        // Once it is kept the answer is its own: what could not be joined is still to be.
        const final = receipt ? undefined : await earlier(taken);
        if (final && !final.accepted) return final;
        if (attempt >= ATTEMPTS) throw error;
      }
    }
  };

  const read = (message: Message, received = clock.now()) => {
    const header = checkHeader(message);
    const sender = senderOf(senders, header.sendingApplication, header.sendingFacility);
    const given = startReading(message, header, facilities, sender);
    const reading = { ...given, eventTime: notAheadOf(received, given.eventTime) };
    const content = readAdt(reading);
    requireNotAhead(
      received,
      content.drafts.map(({ resource }) => resource),
      'PV1^1^45',
    );
    return { reading, content: sender?.map ? applySenderMap(sender.map, reading, content) : content };
  };

  /** Begins at once, so that messages of a patient are applied in the order in which this is called. */
  const applyInTurn = async (taken: Taken): Promise<Receipt> => {
    const { reading, content } = read(taken.message, taken.accepted);
    return lock.run(content.patientKeys, () => apply(taken, reading, content));
  };

  return {
    answer,
    earlier,
    /**
     * Applies an accepted message, unless one about the same patient that came before it is still to be applied.
     * @param held the keys of such patients; those of this one are added when it stays accepted
     * @throws Refusal | Fault
     */
    async applyAccepted(taken: Taken, held: Set<string>): Promise<Receipt> {
      const { reading, content } = read(taken.message, taken.accepted);
      const { patientKeys } = content;
      return lock.run(patientKeys, async () => {
        try {
          if (patientKeys.some((key) => held.has(key))) throw new Fault('unavailable', BEHIND);
          return await apply(taken, reading, content);
        } catch (error) {
          if (!(error instanceof Refusal)) for (const key of patientKeys) held.add(key);
          throw error;
        }
      });
    },
    /** @throws Refusal | Fault */
    async takeIn(taken: Taken): Promise<Receipt> {
      const final = await earlier(taken);
      // Who asks for more than that it is safe gets it applied before its turn: event times decide, not the order.
      if (final?.accepted) return applyInTurn({ ...taken, accepted: final.accepted });
      return final ?? applyInTurn(taken);
    },
    /** What taking it in would do; writes nothing. @throws Refusal | Fault */
    async foresee(message: Message): Promise<Forecast> {
      const { reading, content } = read(message);
      const { changes, visitKnown } = await planChanges(store, parameters, known, content);
      return { remarks: remarksOf(reading, visitKnown), changes: namedChanges(changes) };
    },
  };
}

function remarksOf(reading: Reading, visitKnown: boolean): Remark[] {
  if (visitKnown || ruleOf(reading.header.trigger).opens) return reading.remarks;
  const text = 'No admission was known for this visit; patient and visit were made from this message.';
  return [...reading.remarks, { condition: '204', severity: 'W', location: 'PV1^1^19', text }];
}

function canonicalOf(body: Uint8Array, charset: Sender['charset']): string | undefined {
  try {
    return parseMessage(decodeMessage(body, charset)).canonical;
  } catch {
    return undefined;
  }
}
