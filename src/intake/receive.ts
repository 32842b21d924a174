// One HL7 v2 message in, its acknowledgement out. AA only after everything the message says is durably stored, CA when the
// message itself is; what is refused is kept with the reason, and can be repaired and taken in again.
import type { Logger } from 'pino';
import { asFault, Fault } from '../fault.ts';
import { createAccept } from './accept.ts';
import { type Applying, createApplying } from './apply-accepted.ts';
import { createApplyOne } from './apply-one.ts';
import { createAwaited } from './awaited.ts';
import { contentKey, type DeliveryFacts, keepDelivery } from './delivery.ts';
import { commitAnswer, enhancedReceipt, isEnhanced } from './enhanced.ts';
import { decodeMessage, encodeMessage } from './er7/charset.ts';
import { type Message, parseMessage } from './er7/message.ts';
import type { Forecast } from './forecast.ts';
import { createGiveWay } from './give-way.ts';
import { deliveryKey } from './header.ts';
import { eventOf, factsOf, headerOf } from './message-facts.ts';
import { Refusal, type Remark } from './refusal.ts';
import { isTransient, refusalOf } from './refusal-of.ts';
import { type Sender, senderOf } from './sender.ts';
import { ACTOR, createTakeIn, type Receipt, type TakeInOptions } from './take-in.ts';

/** What a message may have, over MLLP and HTTP; of a longer one the beginning is kept. */
export const MAX_MESSAGE_BYTES = 1_048_576;
/** Enough for the header segment, which a refusal answers to. */
const HEAD_BYTES = 4_096;

export type { Receipt } from './take-in.ts';

export interface Intake {
  /** Never throws: whatever goes wrong is an AE or AR. */
  receive(bytes: Uint8Array, channel: 'mllp' | 'http'): Promise<Receipt>;
  /** The answer to a message too long to be read, whose first bytes are kept. */
  refuseTooLong(head: Uint8Array, limit: number): Promise<Receipt>;
  /** Keeps a message that was cut off; what is none is not kept. */
  keepCut(bytes: Uint8Array): Promise<void>;
  /** Takes a kept message in again. Never throws for what the message says. */
  again(kept: Kept, options: RepeatOptions): Promise<Repeated>;
  /** Applies what was accepted. */
  readonly applying: Applying;
}

/** A message under the key it is kept by. */
export interface Kept {
  readonly key: string;
  readonly body: Uint8Array;
  readonly part?: DeliveryFacts['part'];
}

export interface RepeatOptions {
  /** The message as somebody has corrected it; encoded as its MSH-18 says. */
  readonly corrected?: string;
  /** Who has it taken in again. */
  readonly by: string;
  /** Says what would happen and writes nothing. */
  readonly dryRun: boolean;
}

export interface Repeated extends Forecast, Pick<Receipt, 'code'> {}

export interface IntakeOptions extends TakeInOptions {
  readonly log: Logger;
}

export function createIntake({ log, ...options }: IntakeOptions): Intake {
  const { store, clock, senders = [] } = options;
  const parts = createTakeIn(options);
  const { answer, takeIn, foresee } = parts;
  const accept = createAccept({ store, clock, parts });
  const awaited = createAwaited(store);
  const giveWay = createGiveWay();
  const apply = createApplyOne({ store, senders, parts, awaited, log });
  const applying = createApplying({ store, clock, log, apply, awaited, giveWay });

  const senderFrom = (head: Message) => senderOf(senders, head.header.text(3), head.header.text(4));
  /** Whether it wants the acknowledgements of enhanced mode, and may have them. */
  const isAskedFor = (head: Message) => senderFrom(head)?.acknowledgement === 'enhanced' && isEnhanced(head);

  /** Keeps what was not accepted, for people to look at; a store that cannot is no reason not to answer. */
  const keepRefused = async (key: string, body: Uint8Array, { code, ack }: Receipt, facts: DeliveryFacts) => {
    try {
      await store.commit(ACTOR, [], [keepDelivery(key, clock.now(), { body, answer: ack, outcome: code }, facts)]);
    } catch (error) {
      log.warn({ kind: asFault(error).kind }, 'a refused HL7 message could not be kept');
    }
  };

  /** @param key the row it is kept in; its own when absent */
  const refuse = async (
    error: unknown,
    bytes: Uint8Array,
    message: Message | undefined,
    channel: string,
    kept?: Pick<DeliveryFacts, 'part' | 'correctedBy'> & { readonly key?: string },
  ): Promise<Receipt & { readonly remark: Remark }> => {
    const { code, remark } = refusalOf(error);
    if (!(error instanceof Refusal))
      log[isTransient(error) ? 'warn' : 'error']({ channel, err: error }, 'HL7 message could not be stored');
    const readable = message ?? headerOf(bytes);
    const receipt = answer(readable, code, [remark]);
    const { condition, location } = remark;
    log.warn({ channel, event: eventOf(readable), code, condition, location }, 'HL7 message refused');
    const key = kept?.key ?? (readable && deliveryKey(readable)) ?? contentKey(bytes);
    await keepRefused(key, bytes, receipt, { ...factsOf(readable, remark), ...kept });
    return { ...receipt, remark };
  };

  const receiveFirst = async (
    bytes: Uint8Array,
    head: Message,
    sender: Sender,
    enhanced: boolean,
  ): Promise<Receipt> => {
    try {
      const accepted = await giveWay.first(() => accept(bytes, head, sender));
      const { code, ack } = accepted;
      if (accepted.accepted) applying.wake();
      log.info({ channel: 'mllp', event: eventOf(head), code }, 'HL7 message accepted');
      return enhanced ? enhancedReceipt(accepted, awaited) : { code, ack };
    } catch (error) {
      const { code, ack } = await refuse(error, bytes, head, 'mllp');
      return { code, ack, ...(enhanced ? { answers: commitAnswer(head, code, ack) } : {}) };
    }
  };

  const refuseTooLong = async (head: Uint8Array, limit: number): Promise<Receipt> => {
    const text = `The message is longer than the ${limit} bytes that are read; only its beginning was kept.`;
    const part = 'too-long';
    const beginning = head.subarray(0, HEAD_BYTES);
    const { code, ack } = await refuse(new Refusal('AR', '207', text), beginning, undefined, part, { part });
    const header = headerOf(beginning);
    return { code, ack, ...(header && isAskedFor(header) ? { answers: commitAnswer(header, code, ack) } : {}) };
  };

  return {
    async receive(bytes, channel) {
      if (bytes.length > MAX_MESSAGE_BYTES) {
        log.warn({ channel, bytes: bytes.length }, 'HL7 message too long');
        return refuseTooLong(bytes, MAX_MESSAGE_BYTES);
      }
      let message: Message | undefined;
      const readable = senders.length > 0 ? headerOf(bytes) : undefined;
      const sender = readable && senderFrom(readable);
      const enhanced = readable !== undefined && isAskedFor(readable);
      if (channel === 'mllp' && readable && sender && (enhanced || sender.acknowledge === 'stored')) {
        return receiveFirst(bytes, readable, sender, enhanced);
      }
      try {
        message = parseMessage(decodeMessage(bytes, sender?.charset));
        const receipt = await takeIn({ bytes, key: deliveryKey(message) ?? contentKey(bytes), message });
        log.info({ channel, event: eventOf(message), code: receipt.code }, 'HL7 message answered');
        return receipt;
      } catch (error) {
        const { code, ack } = await refuse(error, bytes, message, channel);
        return { code, ack };
      }
    },
    refuseTooLong,
    applying,
    async keepCut(bytes) {
      const text =
        'The message was not ended before the connection or another message cut it off; nobody was answered.';
      const part = 'cut';
      if (headerOf(bytes)) await refuse(new Refusal('AE', '207', text), bytes, undefined, part, { part });
    },
    async again({ key, body, part }, { corrected, by, dryRun }) {
      if (corrected === undefined && part) {
        throw new Fault('unprocessable', 'Only the beginning of this message was kept; give the whole message.');
      }
      const correctedBy = corrected === undefined ? undefined : by;
      let bytes = body;
      let message: Message | undefined;
      try {
        if (corrected !== undefined) bytes = encodeMessage(corrected.replace(/\r?\n/g, '\r'));
        const known = headerOf(bytes);
        const sender = known && senderOf(senders, known.header.text(3), known.header.text(4));
        message = parseMessage(decodeMessage(bytes, sender?.charset));
        const forecast = await foresee(message);
        if (dryRun) return { code: 'AA', ...forecast };
        const repeat = { bytes, key, message, isRepeat: true as const, ...(correctedBy ? { correctedBy } : {}) };
        const { code } = await takeIn(repeat);
        return { code, ...forecast };
      } catch (error) {
        if (error instanceof Fault && isTransient(error)) throw error;
        const refused = dryRun
          ? refusalOf(error)
          : await refuse(error, bytes, message, 'again', { key, ...(correctedBy ? { correctedBy } : {}) });
        return { code: refused.code, remarks: [refused.remark], changes: [] };
      }
    },
  };
}
