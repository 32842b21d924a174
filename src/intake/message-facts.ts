// What may be told of a message in lists and logs: who sent which event. Nothing of what it says about anybody.
import type { DeliveryFacts } from './delivery.ts';
import type { Message } from './er7/message.ts';
import { parseMessage } from './er7/message.ts';
import type { Remark } from './refusal.ts';

const LONGEST = 100;

export function factsOf(message: Message | undefined, remark: Remark | undefined): DeliveryFacts {
  const event = eventOf(message);
  const [sender, facility] = [3, 4].map((field) => message?.header.text(field).slice(0, LONGEST));
  return {
    ...(sender ? { sender } : {}),
    ...(facility ? { facility } : {}),
    ...(event ? { event } : {}),
    ...(remark ? { remark } : {}),
  };
}

/** `ADT^A01`; anything may stand there, only what looks like a code is told. */
export function eventOf(message: Message | undefined): string | undefined {
  const type = message?.header.first(9);
  const event = type && `${type.get(1)}^${type.get(2)}`;
  return event === undefined || /^[A-Z]{3}\^[A-Z]\d\d$/.test(event) ? event : 'other';
}

/** MSH alone, to be able to answer a message whose rest cannot be read. */
export function headerOf(bytes: Uint8Array): Message | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4096)).toString('latin1');
  const line = text.replace(/^(\xEF\xBB\xBF)?[\r\n]+/, '').split(/[\r\n]/, 1)[0] ?? '';
  try {
    return parseMessage(line.replace(/[^\x20-\x7E]/g, '?'));
  } catch {
    return undefined;
  }
}
