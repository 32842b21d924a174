// What every segment's mapping needs to know of the message it is in.
import type { Message, Segment } from '../er7/message.ts';
import { readInstant } from '../er7/timestamp.ts';
import { translateCodes } from '../er7/translate.ts';
import type { Header } from '../header.ts';
import { Refusal, type Remark } from '../refusal.ts';
import type { Sender } from '../sender.ts';
import { createDrafts, type Drafts } from './drafts.ts';

/** A sending facility, from the configuration. */
export interface Facility {
  /** MSH-4.1, or `*` for any that has no entry of its own. */
  readonly code: string;
  readonly name: string;
  /** IANA time zone: how date-times without an offset are read. */
  readonly zone: string;
}

export interface Reading {
  readonly message: Message;
  readonly header: Header;
  /** Its code is that of the message, also when the entry was `*`. */
  readonly facility: Facility;
  /** EVN-2, else MSH-7: when what the message tells about was recorded. */
  readonly eventTime: Temporal.Instant;
  readonly drafts: Drafts;
  /** ERR segments of severity W that go with an AA. */
  readonly remarks: Remark[];
}

/**
 * @param sender what is peculiar to who sends it
 * @throws Refusal 102 impossible MSH-7 or EVN-2, 103 facility that is not configured
 */
export function startReading(
  given: Message,
  header: Header,
  facilities: readonly Facility[],
  sender?: Sender,
): Reading {
  const message = sender ? translateCodes(given, sender.codes) : given;
  const code = sender?.standsFor ?? header.sendingFacility;
  const entry = facilities.find((one) => one.code === code) ?? facilities.find((one) => one.code === '*');
  if (!entry || code === '') {
    const text = 'MSH-4 is not a configured facility, so its time zone is not known; add it to `facilities`.';
    throw new Refusal('AE', code === '' ? '101' : '103', text, message.header.at(4));
  }
  const facility = { code, name: entry.code === '*' ? code : entry.name, zone: sender?.zone ?? entry.zone };
  const sent = readInstant(message.header, 7, facility.zone);
  const event = message.segment('EVN');
  const recorded = event && readInstant(event, 2, facility.zone);
  const eventTime = recorded ?? sent;
  if (!eventTime) throw new Refusal('AE', '101', 'MSH-7 is required.', message.header.at(7));
  return { message, header, facility, eventTime, drafts: createDrafts(), remarks: [] };
}

/** @throws Refusal AE 100 when the message has no such segment */
export function requireSegment(message: Message, name: string): Segment {
  const segment = message.segment(name);
  if (!segment) throw new Refusal('AE', '100', `The message has no ${name} segment.`, name);
  return segment;
}
