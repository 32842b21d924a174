// One HL7 v2 message in, its acknowledgement out. AA only after everything the message says is durably stored, in one
// commit with the message itself; the same message again changes nothing and gets the same answer.
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { asFault, FAULTS, Fault } from '../fault.ts';
import type { Actor, Store } from '../store/store.ts';
import { acknowledge } from './acknowledge.ts';
import { contentKey, findDelivery, keepDelivery } from './delivery.ts';
import { decodeMessage } from './er7/charset.ts';
import { type Message, parseMessage } from './er7/message.ts';
import { checkHeader, deliveryKey } from './header.ts';
import { createKeyedLock } from './keyed-lock.ts';
import { type AdtContent, readAdt } from './map/adt.ts';
import { type Facility, type Reading, startReading } from './map/reading.ts';
import { planChanges } from './plan.ts';
import type { Compartment } from './plan-merge.ts';
import { type AckCode, Refusal, type Remark } from './refusal.ts';
import { ruleOf } from './triggers.ts';

/** A longer message is refused by every door. */
export const MAX_MESSAGE_BYTES = 1_048_576;
/** Enough for the header segment, which a refusal answers to. */
const HEAD_BYTES = 4_096;

export interface Receipt {
  readonly code: AckCode;
  /** ER7 text of the acknowledgement, segments ended by CR. */
  readonly ack: string;
}

export interface Intake {
  /** Never throws: whatever goes wrong is an AE or AR. */
  receive(bytes: Uint8Array, channel: 'mllp' | 'http'): Promise<Receipt>;
  /** The answer to a message too long to be read, from its first bytes. */
  refuseTooLong(head: Uint8Array, limit: number): string;
}

export interface IntakeOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly facilities: readonly Facility[];
  /** What belongs to a patient: it moves when records of people are merged. */
  readonly parameters: Compartment;
  readonly log: Logger;
}

const ACTOR: Actor = { reference: 'Device/baton-intake', kind: 'service' };

/** How often a message is planned again because somebody else changed what it is about. */
const ATTEMPTS = 5;

export function createIntake({ store, clock, facilities, parameters, log }: IntakeOptions): Intake {
  const lock = createKeyedLock();

  const answer = (message: Message | undefined, code: AckCode, remarks: readonly Remark[]): Receipt => {
    const controlId = randomUUID().replaceAll('-', '').slice(0, 20);
    return { code, ack: acknowledge(message, { code, remarks, now: clock.now(), controlId }) };
  };

  /** The answer a delivery has had, when it is final: accepted, or rejected in the same words. */
  const earlier = async (key: string, message: Message): Promise<Receipt | undefined> => {
    const delivery = await findDelivery(store, key);
    if (!delivery || delivery.outcome === 'AE') return undefined;
    if (canonicalOf(delivery.body) === message.canonical) return { code: delivery.outcome, ack: delivery.answer };
    if (delivery.outcome === 'AR') return undefined;
    const text = 'This sender has used the control id for another message; nothing was changed.';
    return answer(message, 'AR', [{ condition: '205', severity: 'E', location: message.header.at(10), text }]);
  };

  /** Commits what the message says; plans again when somebody else was faster. */
  const apply = async (bytes: Uint8Array, key: string, reading: Reading, content: AdtContent): Promise<Receipt> => {
    let receipt: Receipt | undefined;
    for (let attempt = 1; ; attempt += 1) {
      const { changes, visitKnown } = await planChanges(store, parameters, content);
      const first = receipt === undefined;
      const accepted = receipt ?? answer(reading.message, 'AA', remarksOf(reading, visitKnown));
      const row = keepDelivery(key, clock.now(), { body: bytes, answer: accepted.ack, outcome: 'AA' });
      try {
        const outcomes = await store.commit(ACTOR, changes, first ? [row] : []);
        receipt = accepted;
        // Another process created the same patient or visit in between: join what this message says with that.
        const joined = outcomes.every((outcome) => outcome.written || SHARED.includes(outcome.type));
        if (joined || attempt >= ATTEMPTS) return accepted;
      } catch (error) {
        if (!isLostRace(error)) throw error;
        const final = await earlier(key, reading.message);
        if (final) return final;
        if (attempt >= ATTEMPTS) throw error;
      }
    }
  };

  const process = async (bytes: Uint8Array, key: string, message: Message): Promise<Receipt> => {
    const final = await earlier(key, message);
    if (final) return final;
    const header = checkHeader(message);
    const reading = startReading(message, header, facilities);
    const content = readAdt(reading);
    return lock.run(content.patientKeys, () => apply(bytes, key, reading, content));
  };

  /** Keeps what was not accepted, for people to look at; a store that cannot is no reason not to answer. */
  const keepRefused = async (key: string, body: Uint8Array, { code, ack }: Receipt): Promise<void> => {
    try {
      await store.commit(ACTOR, [], [keepDelivery(key, clock.now(), { body, answer: ack, outcome: code })]);
    } catch (error) {
      log.warn({ kind: asFault(error).kind }, 'a refused HL7 message could not be kept');
    }
  };

  const refuseTooLong = (head: Uint8Array, limit: number): string => {
    const text = `The message is longer than the ${limit} bytes that are read; nothing was stored.`;
    return answer(headerOf(head), 'AR', [{ condition: '207', severity: 'E', text }]).ack;
  };

  return {
    async receive(bytes, channel) {
      if (bytes.length > MAX_MESSAGE_BYTES) {
        log.warn({ channel, bytes: bytes.length }, 'HL7 message too long');
        return { code: 'AR', ack: refuseTooLong(bytes.subarray(0, HEAD_BYTES), MAX_MESSAGE_BYTES) };
      }
      let message: Message | undefined;
      try {
        message = parseMessage(decodeMessage(bytes));
        const receipt = await process(bytes, deliveryKey(message) ?? contentKey(bytes), message);
        log.info({ channel, event: eventOf(message), code: receipt.code }, 'HL7 message answered');
        return receipt;
      } catch (error) {
        const refusal = refusalOf(error);
        if (!(error instanceof Refusal))
          log[isTransient(error) ? 'warn' : 'error']({ channel, err: error }, 'HL7 message could not be stored');
        const readable = message ?? headerOf(bytes);
        const receipt = answer(readable, refusal.code, [refusal.remark]);
        const { condition, location } = refusal.remark;
        log.warn({ channel, event: eventOf(readable), code: receipt.code, condition, location }, 'HL7 message refused');
        await keepRefused((readable && deliveryKey(readable)) ?? contentKey(bytes), bytes, receipt);
        return receipt;
      }
    },
    refuseTooLong,
  };
}

/** Types that a message only makes sure of; not having written one is no lost race. */
const SHARED = ['Practitioner', 'Organization', 'Location'];

function remarksOf(reading: Reading, visitKnown: boolean): Remark[] {
  const { trigger } = reading.header;
  if (visitKnown || ruleOf(trigger).opens) return reading.remarks;
  const text = 'No admission was known for this visit; patient and visit were made from this message.';
  return [...reading.remarks, { condition: '204', severity: 'W', location: 'PV1^1^19', text }];
}

function isLostRace(error: unknown): boolean {
  return error instanceof Fault && (error.kind === 'conflict' || error.kind === 'precondition');
}

function isTransient(error: unknown): boolean {
  return FAULTS[asFault(error).kind].retry === 'transient';
}

/** Any failure as what the sender is told: AE, so that the message is sent again. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const fault = asFault(error);
  const where = fault.issues.flatMap((issue) => issue.expression ?? []).join(', ');
  if (where && (fault.kind === 'unprocessable' || fault.kind === 'invalid')) {
    return new Refusal('AE', '207', `The message gives resources that FHIR does not allow: ${where}.`);
  }
  if (isLostRace(error)) {
    return new Refusal('AE', '207', 'Others keep changing the same patient; send the message again.');
  }
  const text = isTransient(error)
    ? 'The store cannot take the message now; send it again later.'
    : 'Internal error; nothing was stored. Send the message again.';
  return new Refusal('AE', '207', text);
}

function canonicalOf(body: Uint8Array): string | undefined {
  try {
    return parseMessage(decodeMessage(body)).canonical;
  } catch {
    return undefined;
  }
}

/** MSH alone, to be able to answer a message whose rest cannot be read. */
function headerOf(bytes: Uint8Array): Message | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4096)).toString('latin1');
  const line = text.replace(/^(\xEF\xBB\xBF)?[\r\n]+/, '').split(/[\r\n]/, 1)[0] ?? '';
  try {
    return parseMessage(line.replace(/[^\x20-\x7E]/g, '?'));
  } catch {
    return undefined;
  }
}

function eventOf(message: Message | undefined): string | undefined {
  const type = message?.header.first(9);
  const event = type && `${type.get(1)}^${type.get(2)}`;
  // Anything may stand there; only what looks like a code goes into the log.
  return event === undefined || /^[A-Z]{3}\^[A-Z]\d\d$/.test(event) ? event : 'other';
}
