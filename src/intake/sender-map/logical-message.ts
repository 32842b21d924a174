// A message as a sender's map sees it: plain objects that FHIRPath walks. docs/intake.md describes the model.
import type { Reference } from '@medplum/fhirtypes';
import type { Repetition, Segment } from '../er7/message.ts';
import { readDateTime } from '../er7/timestamp.ts';
import type { Reading } from '../map/reading.ts';

/**
 * Of a segment: `f3` the first component of field 3, `f3_2` its second, `f3_2_4` the fourth subcomponent of that, `d3`
 * the field as a FHIR dateTime when it is one. A text, or a list of them when the field repeats.
 */
export type LogicalSegment = Readonly<Record<string, string | string[] | LogicalRepetition[]>>;

/** Of one repetition: `c2` its second component, `c2_4` the fourth subcomponent of that. */
export type LogicalRepetition = Readonly<Record<string, string>>;

export interface LogicalMessage extends Readonly<Record<string, unknown>> {
  /** `A08`. */
  readonly event: string;
  /** The sending facility, as the configuration has it. */
  readonly facility: string;
  /** FHIR instant: when the event was recorded. */
  readonly eventTime: string;
  readonly patient: Reference;
  /** Absent when the event is not about a visit. */
  readonly encounter?: Reference;
}

/** Further than any message of version 2 goes; of components and subcomponents the standard's most. */
const MOST = { fields: 60, components: 25, subcomponents: 12 };

/**
 * Every segment is a list under its name, in the order of the message.
 * @param wanted names of the segments that the map speaks of
 */
export function logicalMessage(
  { message, header, facility, eventTime }: Reading,
  wanted: ReadonlySet<string>,
  patient: string,
  encounter: string | undefined,
): LogicalMessage {
  const names = message.names.filter((name) => wanted.has(name));
  const segments = names.map((name) => [
    name,
    message.segments(name).map((segment) => logicalSegment(segment, facility.zone)),
  ]);
  return {
    ...Object.fromEntries(segments),
    event: header.trigger,
    facility: facility.code,
    eventTime: eventTime.toString({ fractionalSecondDigits: 3 }),
    patient: { reference: patient },
    ...(encounter ? { encounter: { reference: encounter } } : {}),
  };
}

function logicalSegment(segment: Segment, zone: string): LogicalSegment {
  const model: Record<string, string | string[] | LogicalRepetition[]> = {};
  for (let field = 1; field <= MOST.fields; field += 1) {
    const repetitions = segment.all(field).map(logicalRepetition);
    if (repetitions.length === 0) continue;
    model[`r${field}`] = repetitions;
    for (const part of new Set(repetitions.flatMap((one) => Object.keys(one)))) {
      const texts = repetitions.flatMap((one) => one[part] ?? []);
      const name = part === 'c1' ? `f${field}` : `f${field}${part.replace(/^c/, '_')}`;
      model[name] = texts.length === 1 ? (texts[0] ?? '') : texts;
    }
    const moment = dateTimeIn(segment, field, zone);
    if (moment) model[`d${field}`] = moment;
  }
  return model;
}

function logicalRepetition(repetition: Repetition): LogicalRepetition {
  const model: Record<string, string> = {};
  for (let component = 1; component <= MOST.components; component += 1) {
    for (let sub = 1; sub <= MOST.subcomponents; sub += 1) {
      const text = repetition.get(component, sub);
      if (text !== '') model[sub === 1 ? `c${component}` : `c${component}_${sub}`] = text;
    }
  }
  return model;
}

function dateTimeIn(segment: Segment, field: number, zone: string): string | undefined {
  if (!/^\d{4}/.test(segment.text(field))) return undefined;
  try {
    return readDateTime(segment, field, zone);
  } catch {
    return undefined;
  }
}
