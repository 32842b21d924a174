// A message into safe storage: its header is checked, its bytes are on disk, and its sender is told so. What it says is applied
// later (apply-accepted.ts). HL7 v2.9 chapter 2, "Enhanced acknowledgment rules".
import type { Clock } from '../clock.ts';
import type { Store } from '../store/store.ts';
import { acceptDelivery } from './accepted.ts';
import { contentKey } from './delivery.ts';
import { decodeMessage } from './er7/charset.ts';
import { type Message, parseMessage } from './er7/message.ts';
import { checkHeader, deliveryKey } from './header.ts';
import { factsOf } from './message-facts.ts';
import { isLostRace } from './refusal-of.ts';
import type { Sender } from './sender.ts';
import { ACTOR, type createTakeIn, type Earlier } from './take-in.ts';

export interface AcceptOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly parts: Pick<ReturnType<typeof createTakeIn>, 'answer' | 'earlier'>;
}

/** Of a message that is in safe storage. */
export interface AcceptedReceipt extends Earlier {
  readonly key: string;
  readonly header: Message;
}

export function createAccept({ store, clock, parts }: AcceptOptions) {
  let last = 0;
  /** Places grow within this process, and with the machine's clock across processes. */
  const nextPlace = () => {
    last = Math.max(last + 1, clock.real().epochMilliseconds * 1000);
    return last;
  };

  /**
   * Resolves when the message is on disk, or when it is known that it was before.
   * @param head the message's first segment as its bytes give it
   * @throws Refusal AE | AR for a header that Baton does not take, or bytes that are no text; Fault when it cannot be stored
   */
  return async (body: Uint8Array, head: Message, sender: Sender | undefined): Promise<AcceptedReceipt> => {
    const received = clock.now();
    const text = decodeMessage(body, sender?.charset);
    const header = headerIn(text, head);
    checkHeader(header);
    const key = deliveryKey(header) ?? contentKey(body);
    const { code, ack } = parts.answer(header, 'AA', []);
    const facts = factsOf(header, undefined);
    const acceptance = { key, body, received, answer: ack, place: nextPlace(), facts };
    const keep = (again: boolean) => store.commit(ACTOR, [], [acceptDelivery(acceptance, { again })]);
    const accepted = { key, header, code, ack, accepted: received };
    try {
      await keep(false);
      return accepted;
    } catch (error) {
      if (!isLostRace(error)) throw error;
    }
    const before = await parts.earlier({ bytes: body, key, message: parseMessage(text) });
    if (before) return { key, header, ...before };
    await keep(true);
    return accepted;
  };
}

/** What was read of the bytes serves when the text says the same; it does unless there are letters beyond ASCII. */
function headerIn(text: string, head: Message): Message {
  const line = text.split(/[\r\n]/, 1)[0] ?? '';
  return line === head.canonical ? head : parseMessage(line);
}
