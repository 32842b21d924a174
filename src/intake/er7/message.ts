// ER7 text -> segments whose fields are read by number, unescaped. @medplum/core splits; the checks and escapes are here.
import { type Hl7Context, Hl7Message, type Hl7Segment } from '@medplum/core';
import { Refusal } from '../refusal.ts';
import { unescapeText } from './escape.ts';

/** One repetition of a field. */
export interface Repetition {
  /** Component, optionally subcomponent, both from 1. Empty when absent or the HL7 null `""`. */
  get(component: number, subcomponent?: number): string;
}

export interface Segment {
  readonly name: string;
  /** ERR-2 location of a field of this segment. */
  at(field: number): string;
  /** First component of the first repetition. */
  text(field: number): string;
  /** First repetition, empty when absent. */
  first(field: number): Repetition;
  /** Repetitions that hold something. */
  all(field: number): Repetition[];
  /** True for the HL7 null `""`: the sender wants the stored value removed. */
  isNull(field: number): boolean;
}

export interface Message {
  readonly context: Hl7Context;
  readonly header: Segment;
  /** MSH field as written, escapes and components included, for echoing. */
  rawHeader(field: number): string;
  /** Of its segments, each once. */
  readonly names: readonly string[];
  segment(name: string): Segment | undefined;
  segments(name: string): Segment[];
  /** The same text whatever the line ends were: what two deliveries of one message have in common. */
  readonly canonical: string;
}

const NULL = '""';

/**
 * @throws Refusal AR 100 when it does not start with MSH, AR 102 when the separators cannot be right,
 * AE 100 when a line is not a segment
 */
export function parseMessage(text: string): Message {
  if (!text.startsWith('MSH')) throw new Refusal('AR', '100', 'The message does not start with an MSH segment.');
  checkSeparators(text);
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  const canonical = lines.join('\r');
  const parsed = Hl7Message.parse(canonical);
  checkSegments(lines, parsed.context.fieldSeparator);
  const byName = new Map<string, Segment[]>();
  for (const segment of parsed.segments) {
    const same = byName.get(segment.name) ?? [];
    same.push(readSegment(segment, same.length + 1, parsed.context));
    byName.set(segment.name, same);
  }
  return {
    context: parsed.context,
    header: byName.get('MSH')?.[0] ?? readSegment(parsed.header, 1, parsed.context),
    rawHeader: (field) => parsed.header.getField(field)?.toString() ?? '',
    names: [...byName.keys()],
    segment: (name) => byName.get(name)?.[0],
    segments: (name) => byName.get(name) ?? [],
    canonical,
  };
}

/** MSH-1 and MSH-2: five or six different characters that are neither letters, digits nor blanks. */
function checkSeparators(text: string): void {
  const field = text.charAt(3);
  const end = text.indexOf(field, 4);
  const encoding = end > 0 ? text.slice(4, end) : '';
  const all = field + encoding;
  const sane = encoding.length >= 4 && encoding.length <= 5 && /^[!-/:-@[-`{-~]+$/.test(all);
  if (!sane || new Set(all).size !== all.length) {
    const text = 'MSH-1 and MSH-2 do not give five different separator characters (usually |^~\\&).';
    throw new Refusal('AR', '102', text, 'MSH^1^2');
  }
}

function checkSegments(lines: readonly string[], fieldSeparator: string): void {
  lines.forEach((line, index) => {
    const shaped =
      /^[A-Z][A-Z0-9]{2}$/.test(line.slice(0, 3)) && (line.length === 3 || line.charAt(3) === fieldSeparator);
    const second = index > 0 && line.startsWith('MSH');
    if (shaped && !second) return;
    const why = second ? 'is a second MSH; send one message at a time' : 'is not a segment';
    throw new Refusal('AE', '100', `Line ${index + 1} of the message ${why}.`);
  });
}

function readSegment(segment: Hl7Segment, occurrence: number, context: Hl7Context): Segment {
  // medplum parses a field each time it is asked for; a mapping asks for most of them several times.
  const read: (readonly string[][])[] = [];
  // In MSH the field separator itself is MSH-1; medplum's getField already counts so.
  const repetitions = (field: number) => (read[field] ??= segment.getField(field)?.components ?? []);
  const first = (field: number) => readRepetition(repetitions(field)[0] ?? [], context);
  return {
    name: segment.name,
    at: (field) => `${segment.name}^${occurrence}^${field}`,
    first,
    text: (field) => first(field).get(1),
    all: (field) =>
      repetitions(field)
        .filter((components) => components.some((component) => component !== '' && component !== NULL))
        .map((components) => readRepetition(components, context)),
    isNull: (field) => repetitions(field)[0]?.[0] === NULL,
  };
}

function readRepetition(components: readonly string[], context: Hl7Context): Repetition {
  return {
    get(component, subcomponent = 1) {
      const whole = components[component - 1] ?? '';
      if (whole === '') return '';
      const isPlain = subcomponent === 1 && !whole.includes(context.subcomponentSeparator);
      const raw = isPlain ? whole : (whole.split(context.subcomponentSeparator)[subcomponent - 1] ?? '');
      return raw === NULL ? '' : unescapeText(raw, context).trim();
    },
  };
}
