// An expansion that came with a value set, for those whose code systems are not here.
// https://hl7.org/fhir/R4/valueset.html#expansion
import type { ValueSet, ValueSetExpansionContains } from '@medplum/fhirtypes';
import { type Asked, type Member, memberKey, type Selection } from './selection.ts';

const UNCLOSED = 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed';
const TOO_COSTLY = 'http://hl7.org/fhir/StructureDefinition/valueset-toocostly';

export function selectExpansion(valueSet: ValueSet): Selection {
  const { url = '', expansion } = valueSet;
  const members = [...codesIn(expansion?.contains ?? [])];
  const keys = new Set(members.map(memberKey));
  const codes = new Set(members.map(({ code }) => code));
  const isWhole = !isCut(valueSet, members.length);
  const has = ({ system, code }: Asked) =>
    system === undefined ? codes.has(code) : keys.has(memberKey({ system, code }));
  const text = `The expansion that came with ${url} is not the whole of it.`;
  return {
    has: (asked) => has(asked) || (isWhole ? false : undefined),
    members: () => members,
    gaps: isWhole ? [] : [{ why: 'incomplete', text, partial: true }],
  };
}

/** Without recursion: entries may be nested as deep as the sender likes. */
function* codesIn(contains: readonly ValueSetExpansionContains[]): Generator<Member> {
  const waiting = contains.toReversed();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { system = '', version, code, display, designation, abstract, inactive, contains: below = [] } = next;
    if (code !== undefined) {
      const listed = { code, ...(display && { display }), ...(designation && { designation }) };
      yield { system, version, code, abstract, inactive, listed };
    }
    waiting.push(...below.toReversed());
  }
}

/** A page, or one that says that it is incomplete. */
function isCut({ expansion }: ValueSet, codes: number): boolean {
  const { offset = 0, total, extension = [] } = expansion ?? {};
  if (offset > 0 || (total !== undefined && total > codes)) return true;
  return extension.some(({ url, valueBoolean }) => (url === UNCLOSED || url === TOO_COSTLY) && valueBoolean === true);
}
