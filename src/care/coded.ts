// A coded value as an application sends and gets it: a code where there is one, words always.
import type { CodeableConcept } from '@medplum/fhirtypes';
import Type, { type Static } from 'typebox';

export const Coded = Type.Object(
  {
    system: Type.Optional(Type.String({ format: 'uri', description: 'Code system' })),
    code: Type.Optional(Type.String({ minLength: 1, pattern: '^\\S+( \\S+)*$' })),
    text: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000, description: 'Words a person reads' })),
  },
  { additionalProperties: false, minProperties: 1, description: 'A code, words, or both' },
);
export type Coded = Static<typeof Coded>;

/** The concept with one coding, or with words only. */
export function conceptOf({ system, code, text }: Coded): CodeableConcept {
  const coding = code === undefined ? {} : { coding: [{ ...(system ? { system } : {}), code }] };
  return { ...coding, ...(text === undefined ? {} : { text }) };
}

/** The first coding and the words; undefined for a concept with nothing in it. */
export function codedOf(concept: CodeableConcept | undefined): Coded | undefined {
  const [coding] = concept?.coding ?? [];
  const text = concept?.text ?? coding?.display;
  if (text === undefined && coding?.code === undefined) return undefined;
  return {
    ...(coding?.system ? { system: coding.system } : {}),
    ...(coding?.code ? { code: coding.code } : {}),
    ...(text === undefined ? {} : { text }),
  };
}
