// A message whose local codes are read as those that stand for them.
import type { Message, Repetition, Segment } from './message.ts';

/** Field, such as `PV1-36`, to its codes and what stands for them. */
export type CodeTables = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** The words of a translated code (component 2) stay as they were sent. */
export function translateCodes(message: Message, tables: CodeTables): Message {
  if (tables.size === 0) return message;
  const translated = new Map<Segment, Segment>();
  const read = (segment: Segment) => {
    const known = translated.get(segment) ?? translateSegment(segment, tables);
    translated.set(segment, known);
    return known;
  };
  return {
    ...message,
    segment(name) {
      const segment = message.segment(name);
      return segment && read(segment);
    },
    segments: (name) => message.segments(name).map(read),
  };
}

function translateSegment(segment: Segment, tables: CodeTables): Segment {
  const tableOf = (field: number) => tables.get(`${segment.name}-${field}`);
  const one = (field: number, repetition: Repetition): Repetition => {
    const table = tableOf(field);
    if (!table) return repetition;
    return {
      get(component, subcomponent = 1) {
        const value = repetition.get(component, subcomponent);
        return component === 1 && subcomponent === 1 ? (table.get(value) ?? value) : value;
      },
    };
  };
  return {
    ...segment,
    first: (field) => one(field, segment.first(field)),
    text: (field) => one(field, segment.first(field)).get(1),
    all: (field) => segment.all(field).map((repetition) => one(field, repetition)),
  };
}
