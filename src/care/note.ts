// What people write beside the data. https://hl7.org/fhir/R4/datatypes.html#Annotation
import type { Annotation } from '@medplum/fhirtypes';
import Type, { type Static } from 'typebox';
import { parseLiteral } from '../fhir/references.ts';
import { toFhirDateTime } from './local-time.ts';
import type { Caller } from './records.ts';

export const NoteText = Type.String({
  minLength: 1,
  maxLength: 10_000,
  description: 'A note, added to those there are',
});

export const NoteOut = Type.Object(
  { text: Type.String(), time: Type.Optional(Type.String()), author: Type.Optional(Type.String()) },
  { description: 'A note: who wrote it and when, where that is known' },
);
export type NoteOut = Static<typeof NoteOut>;

const AUTHORS = new Set(['Practitioner', 'Patient', 'RelatedPerson', 'Organization']);

/** A note of the caller. */
export function noteBy({ who, now, zone }: Caller, text: string): Annotation {
  const type = parseLiteral(who.reference ?? '')?.type;
  const name = who.display ?? who.reference;
  const author: Pick<Annotation, 'authorReference' | 'authorString'> =
    type && AUTHORS.has(type)
      ? { authorReference: who as NonNullable<Annotation['authorReference']> }
      : name
        ? { authorString: name }
        : {};
  return { ...author, time: toFhirDateTime(now, zone), text };
}

/** `note` with the text added; nothing when there is no text. */
export function withNote(
  notes: readonly Annotation[] | undefined,
  caller: Caller,
  text: string | undefined,
): { note?: Annotation[] } {
  return text === undefined ? {} : { note: [...(notes ?? []), noteBy(caller, text)] };
}

export function notesOf(notes: readonly Annotation[] | undefined): NoteOut[] {
  return (notes ?? []).map(({ text, time, authorReference, authorString }) => {
    const author = authorReference?.display ?? authorReference?.reference ?? authorString;
    return { text: text ?? '', ...(time ? { time } : {}), ...(author ? { author } : {}) };
  });
}
