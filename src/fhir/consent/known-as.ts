// Other names of people and organizations: consents may name them by an identifier, such as a national provider number,
// instead of by reference.
import type { Identifier } from '@medplum/fhirtypes';
import { parseLiteral } from '../references.ts';

/** Where the current versions are. */
interface Records {
  read(type: string, id: string): Promise<{ readonly operation: string; readonly content: string } | undefined>;
}

/**
 * @param references like `Practitioner/12`; those of other servers are left as they are
 * @returns the references, and `system|value` of each identifier of what they refer to here
 */
export async function knownAs(records: Records, references: readonly string[]): Promise<string[]> {
  const names = new Set(references);
  for (const reference of references) {
    const target = parseLiteral(reference);
    const found = target && (await records.read(target.type, target.id));
    if (!found || found.operation === 'delete') continue;
    const { identifier } = JSON.parse(found.content) as { readonly identifier?: Identifier | readonly Identifier[] };
    for (const { system, value } of [identifier ?? []].flat()) if (system && value) names.add(`${system}|${value}`);
  }
  return [...names];
}
