// One accepted message: applied, or refused with the reason; either way that is on disk when it resolves.
import type { Logger } from 'pino';
import { asFault } from '../fault.ts';
import type { Store } from '../store/store.ts';
import { type Accepted, settleDelivery } from './accepted.ts';
import type { Awaited } from './awaited.ts';
import { decodeMessage } from './er7/charset.ts';
import { type Message, parseMessage } from './er7/message.ts';
import { eventOf, headerOf } from './message-facts.ts';
import { Refusal } from './refusal.ts';
import { isLostRace, isTransient, refusalOf } from './refusal-of.ts';
import { type Sender, senderOf } from './sender.ts';
import { ACTOR, type createTakeIn } from './take-in.ts';

export interface ApplyOneOptions {
  readonly store: Store;
  readonly senders: readonly Sender[];
  readonly parts: Pick<ReturnType<typeof createTakeIn>, 'answer' | 'applyAccepted'>;
  readonly awaited: Pick<Awaited, 'tell'>;
  readonly log: Logger;
}

/** So often somebody else may be faster before an operator has to look. */
const MOST_LOST = 5;

/** @returns rejects with a Fault when the message stays accepted, because the reason passes */
export function createApplyOne({ store, senders, parts, awaited, log }: ApplyOneOptions) {
  const lost = new Map<string, number>();

  const isToBeTriedAgain = (key: string, error: unknown): boolean => {
    if (error instanceof Refusal) return false;
    if (!isLostRace(error)) return isTransient(error);
    const times = (lost.get(key) ?? 0) + 1;
    lost.set(key, times);
    return times < MOST_LOST;
  };

  const refuse = async ({ key, body }: Accepted, message: Message | undefined, error: unknown) => {
    const { code, remark } = refusalOf(error);
    if (!(error instanceof Refusal)) log.error({ err: error }, 'accepted HL7 message could not be applied');
    const header = message ?? headerOf(body);
    const { ack } = parts.answer(header, code, [remark]);
    await store.commit(ACTOR, [], [settleDelivery(key, { answer: ack, outcome: code, remark })]);
    const { condition, location } = remark;
    log.warn({ event: eventOf(header), code, condition, location }, 'accepted HL7 message refused');
    return { code, ack };
  };

  return async (accepted: Accepted, held: Set<string>): Promise<void> => {
    const { key, body, received } = accepted;
    let message: Message | undefined;
    try {
      const head = headerOf(body);
      const sender = head && senderOf(senders, head.header.text(3), head.header.text(4));
      message = parseMessage(decodeMessage(body, sender?.charset));
      const { code, ack } = await parts.applyAccepted({ bytes: body, key, message, accepted: received }, held);
      log.info({ event: eventOf(message), code }, 'accepted HL7 message applied');
      awaited.tell(key, { code, ack });
    } catch (error) {
      if (isToBeTriedAgain(key, error)) throw asFault(error);
      awaited.tell(key, await refuse(accepted, message, error));
    }
    lost.delete(key);
  };
}
