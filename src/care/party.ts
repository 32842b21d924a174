// A person, a group or an organization that a resource names.
import type { Reference, ResourceType } from '@medplum/fhirtypes';
import Type from 'typebox';
import { parseLiteral } from '../fhir/references.ts';
import type { LinkedOut } from './linked.ts';

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

/** `T` of `T/12`. */
export const typeOfParty = ({ reference = '' }: LinkedOut): string | undefined => parseLiteral(reference)?.type;

/** Whether both lead to the same resource. */
export const isSame = (one: Reference | undefined, other: Reference | undefined): boolean =>
  one?.reference !== undefined && one.reference === other?.reference;
