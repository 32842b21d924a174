// Who or what something leads to, as an application sends and gets it.
import type { Reference } from '@medplum/fhirtypes';
import Type, { type Static } from 'typebox';

/** References stay within this Baton; what they may lead to, the profile says. */
export const Linked = Type.Object(
  {
    reference: Type.String({ format: 'reference', description: 'Type and id, e.g. Practitioner/12' }),
    display: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'How a person would name it' })),
  },
  { additionalProperties: false, description: 'A resource' },
);
export type Linked = Static<typeof Linked>;

/** As it is in FHIR, where somebody may also be named by an identifier only, or by words only. */
export const LinkedOut = Type.Object(
  {
    reference: Type.Optional(Type.String()),
    identifier: Type.Optional(
      Type.Object({ system: Type.Optional(Type.String()), value: Type.Optional(Type.String()) }),
    ),
    display: Type.Optional(Type.String()),
  },
  { description: 'A resource, a name in another system, or words' },
);
export type LinkedOut = Static<typeof LinkedOut>;

/** Undefined when the reference says nothing. */
export function linkedOf(reference: Reference | undefined): LinkedOut | undefined {
  const { reference: to, identifier, display } = reference ?? {};
  if (to === undefined && display === undefined && identifier?.value === undefined) return undefined;
  return {
    ...(to === undefined ? {} : { reference: to }),
    ...(identifier?.value === undefined
      ? {}
      : { identifier: { ...(identifier.system ? { system: identifier.system } : {}), value: identifier.value } }),
    ...(display === undefined ? {} : { display }),
  };
}
