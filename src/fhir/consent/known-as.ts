// Other names of people and organizations: consents may name them by an identifier, such as a national provider number,
// instead of by reference.
import type { Identifier } from '@medplum/fhirtypes';
import { parseLiteral } from '../references.ts';

/** Finds current resources by a search such as `Practitioner?_id=12`. */
interface Records {
  find(query: string): Promise<readonly { readonly content: string }[]>;
}

/**
 * @param references like `Practitioner/12`; those of other servers are left as they are
 * @returns the references, and `system|value` of each identifier of what they refer to here
 */
export async function knownAs(records: Records, references: readonly string[]): Promise<string[]> {
  const names = new Set(references);
  for (const reference of references) {
    const target = parseLiteral(reference);
    const [found] = target ? await records.find(`${target.type}?_id=${target.id}`) : [];
    if (!found) continue;
    const { identifier } = JSON.parse(found.content) as { readonly identifier?: Identifier | readonly Identifier[] };
    for (const { system, value } of [identifier ?? []].flat()) if (system && value) names.add(`${system}|${value}`);
  }
  return [...names];
}
