// PV1-3, 6 and 42 and the expected discharge -> what the event says of where the patient is.
import type { Coding, Extension } from '@medplum/fhirtypes';
import type { Segment } from '../er7/message.ts';
import { readDateTime } from '../er7/timestamp.ts';
import { ruleOf } from '../triggers.ts';
import { readLocation } from './location.ts';
import type { Reading } from './reading.ts';
import { occurred, recorded } from './stay.ts';
import { type Statement, toExtension } from './whereabouts.ts';

/**
 * @param start of the stay as the message gives it: since then an admitted patient is where the message says
 * @throws Refusal AE 102 impossible date
 */
export function readWhereabouts(pv1: Segment, reading: Reading, code: Coding, start: string | undefined): Extension[] {
  const { place: said, stay, expects } = ruleOf(reading.header.trigger);
  const time = reading.eventTime;
  const here = readLocation(pv1.first(3), reading);
  const pending = readLocation(pv1.first(42), reading);
  const at = (stay === undefined ? undefined : start) ?? occurred(reading) ?? recorded(reading);
  const statements: (Statement | undefined)[] = [];
  if (said === 'moved') {
    const from = readLocation(pv1.first(6), reading);
    statements.push({ time, said, ...(here ? { place: here } : {}), ...(from ? { from } : {}), class: code, at });
  } else if (said === 'returned' || said === 'seen') {
    statements.push(here && { time, said, place: here, at });
  }
  if (said === 'stays') statements.push({ time, said });
  else if (pending) statements.push({ time, said: 'awaits', place: pending });
  else if (said === 'awaits' && here) statements.push({ time, said, place: here });
  const leaving = expects === 'no-leaving' ? undefined : expectedEnd(reading, pv1);
  if (leaving || expects === 'no-leaving')
    statements.push({ time, said: 'leaves', ...(leaving ? { at: leaving } : {}) });
  return statements.flatMap((statement) => (statement ? [toExtension(statement)] : []));
}

/** PV2-9; of a pending discharge also PV1-45, which some senders use for it. */
function expectedEnd({ message, facility, header, remarks }: Reading, pv1: Segment): string | undefined {
  const pv2 = message.segment('PV2');
  const expected = pv2 && readDateTime(pv2, 9, facility.zone);
  if (expected || !ruleOf(header.trigger).expects) return expected;
  const end = readDateTime(pv1, 45, facility.zone);
  if (end) {
    const text = 'PV1-45 of a pending discharge was read as when the patient is expected to leave.';
    remarks.push({ condition: '102', severity: 'W', location: pv1.at(45), text });
  }
  return end;
}
