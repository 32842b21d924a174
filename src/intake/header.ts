// MSH: who sent what, under which control id; and whether Baton speaks that at all.
import type { Message } from './er7/message.ts';
import { type ConditionCode, Refusal } from './refusal.ts';
import { isTrigger, TRIGGERS, type Trigger } from './triggers.ts';

export interface Header {
  readonly sendingApplication: string;
  /** MSH-4.1: the facility's code. */
  readonly sendingFacility: string;
  readonly controlId: string;
  readonly trigger: Trigger;
}

/** Sender and control id: the identity of a delivery. Undefined without a control id. */
export function deliveryKey(message: Message): string | undefined {
  const controlId = message.header.text(10);
  if (controlId === '') return undefined;
  return [message.header.text(3), message.header.text(4), controlId].join('|');
}

/** @throws Refusal AE 101 | AR 200 | 201 | 202 | 203 */
export function checkHeader(message: Message): Header {
  const { header } = message;
  for (const field of [7, 9, 10, 11, 12]) {
    if (header.text(field) === '') throw new Refusal('AE', '101', `MSH-${field} is required.`, header.at(field));
  }
  const reject = (condition: ConditionCode, field: number, text: string) => {
    throw new Refusal('AR', condition, text, header.at(field));
  };
  if (!/^2\.[3-9](\.\d)?$/.test(header.text(12))) reject('203', 12, 'Baton reads HL7 versions 2.3 to 2.9.');
  if (!['P', 'T', 'D'].includes(header.text(11))) reject('202', 11, 'The processing id must be P, T or D.');
  const type = header.first(9);
  if (type.get(1) !== 'ADT') reject('200', 9, 'Baton reads ADT messages only.');
  const trigger = type.get(2);
  if (!isTrigger(trigger)) {
    const known = Object.keys(TRIGGERS).join(', ');
    throw new Refusal('AR', '201', `Baton reads ADT events ${known}.`, header.at(9));
  }
  return {
    sendingApplication: header.text(3),
    sendingFacility: header.text(4),
    controlId: header.text(10),
    trigger,
  };
}
