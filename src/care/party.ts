// A person, a group or an organization that a resource names.
import type { Reference, ResourceType } from '@medplum/fhirtypes';
import Type, { type Static } from 'typebox';
import { parseLiteral } from '../fhir/references.ts';

const ID = '[A-Za-z0-9\\-.]{1,64}';

/** A literal reference to a resource of one of `types`, with the words a person reads. */
export function PartyOf(types: readonly ResourceType[], description: string) {
  return Type.Object(
    {
      reference: Type.String({ pattern: `^(${types.join('|')})/${ID}$`, examples: [`${types[0]}/1`] }),
      display: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    },
    { additionalProperties: false, description },
  );
}

/** As FHIR and the API both write it. Foreign resources may name somebody by words alone. */
export const Party = Type.Object(
  { reference: Type.Optional(Type.String()), display: Type.Optional(Type.String()) },
  { additionalProperties: false },
);
export type Party = Static<typeof Party>;

/** What a Reference says of whom it leads to; undefined when it says nothing. */
export function partyOf(reference: Reference | undefined): Party | undefined {
  if (!reference) return undefined;
  const display = reference.display ?? reference.identifier?.value;
  if (reference.reference === undefined && display === undefined) return undefined;
  return {
    ...(reference.reference === undefined ? {} : { reference: reference.reference }),
    ...(display === undefined ? {} : { display }),
  };
}

/** `T` of `T/12`. */
export const typeOfParty = ({ reference = '' }: Party): string | undefined => parseLiteral(reference)?.type;

/** Whether both lead to the same resource. */
export const isSame = (one: Reference | undefined, other: Reference | undefined): boolean =>
  one?.reference !== undefined && one.reference === other?.reference;
