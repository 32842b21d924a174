// ValueSet/$expand: the codes of a value set, flat, in the order of its definition.
// https://hl7.org/fhir/R4/valueset-operation-expand.html
import type { ValueSet, ValueSetExpansion, ValueSetExpansionContains } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { isInactiveMember } from './active-only.ts';
import { type Canonical, toCanonical } from './canonical.ts';
import { isAbstract } from './concept-system.ts';
import { cannotExpand } from './gap-fault.ts';
import type { Library } from './library.ts';
import { selectValueSet } from './select-value-set.ts';
import type { Member } from './selection.ts';
import { textFilter } from './text-filter.ts';
import { type Designation, designationsOf, displayOf, isLanguage } from './wording.ts';

export interface ExpandRequest {
  /** Words that begin words of the display, or the code. */
  readonly filter?: string | undefined;
  readonly offset?: number | undefined;
  /** 0 asks for the total alone. */
  readonly count?: number | undefined;
  readonly includeDesignations?: boolean | undefined;
  /** `use-system|use-code` or a language. */
  readonly designation?: readonly string[];
  readonly includeDefinition?: boolean | undefined;
  readonly activeOnly?: boolean | undefined;
  readonly excludeNotForUI?: boolean | undefined;
  readonly displayLanguage?: string | undefined;
  readonly excludeSystem?: readonly Canonical[];
}

export interface ExpansionFacts {
  /** FHIR dateTime. */
  readonly timestamp: string;
  readonly identifier: string;
  /** What was asked for and has a say in the content. */
  readonly parameter: NonNullable<ValueSetExpansion['parameter']>;
}

/** Codes in one answer. More are had page by page. */
export const MAX_CODES = 10_000;
const UNCLOSED = 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed';

/**
 * @throws Fault unprocessable: `not-supported` when what the value set needs is not here, `too-costly` when it is too
 *   large for one answer
 */
export function expand(library: Library, valueSet: ValueSet, request: ExpandRequest, facts: ExpansionFacts): ValueSet {
  const selection = selectValueSet(library, valueSet);
  const wanted = wantedBy(library, request);
  const { offset = 0, count } = request;
  const limit = Math.min(count ?? MAX_CODES + 1, MAX_CODES + 1);
  const page: Member[] = [];
  let total = 0;
  for (const member of selection.members()) {
    if (!wanted(member)) continue;
    if (total >= offset && page.length < limit) page.push(member);
    total++;
  }
  const gaps = selection.gaps;
  if (gaps.some(({ partial }) => !partial)) throw cannotExpand(valueSet, gaps);
  if (page.length > MAX_CODES) {
    if (count === undefined) throw tooLarge(total);
    page.length = MAX_CODES;
  }
  const parameter = [...facts.parameter, ...versionsUsed(library)];
  const contains = page.map((member) => toContains(library, member, request));
  return {
    ...described(valueSet, request.includeDefinition === true),
    expansion: {
      ...(gaps.length > 0 ? { extension: [{ url: UNCLOSED, valueBoolean: true }] } : {}),
      identifier: facts.identifier,
      timestamp: facts.timestamp,
      total,
      ...(request.offset === undefined && count === undefined ? {} : { offset }),
      ...(parameter.length > 0 ? { parameter } : {}),
      ...(contains.length > 0 ? { contains } : {}),
    },
  };
}

function wantedBy(library: Library, request: ExpandRequest): (member: Member) => boolean {
  const { activeOnly, excludeNotForUI, excludeSystem = [], filter } = request;
  const matches = filter === undefined ? undefined : textFilter(filter);
  return (member) => {
    const { system, version, concept, of } = member;
    if (activeOnly && isInactiveMember(member)) return false;
    if (excludeNotForUI && (member.abstract ?? (of && concept && isAbstract(of, concept)))) return false;
    if (excludeSystem.some((one) => one.url === system && (one.version ?? version) === version)) return false;
    if (!matches) return true;
    return matches([
      member.code,
      displayOf(library, member),
      ...designationsOf(library, member).map(({ value }) => value),
    ]);
  };
}

function toContains(library: Library, member: Member, request: ExpandRequest): ValueSetExpansionContains {
  const { system, version, code, concept, of } = member;
  const display = displayOf(library, member, request.displayLanguage);
  const asked = request.designation ?? [];
  const shown = request.includeDesignations ?? asked.length > 0;
  const designation = shown ? designationsOf(library, member).filter(isAskedFor(asked)) : [];
  return {
    ...(system === '' ? {} : { system }),
    ...((member.abstract ?? (of && concept && isAbstract(of, concept))) ? { abstract: true } : {}),
    ...(isInactiveMember(member) ? { inactive: true } : {}),
    ...(version === undefined ? {} : { version }),
    code,
    ...(display === undefined ? {} : { display }),
    ...(designation.length > 0 ? { designation } : {}),
  };
}

/** https://hl7.org/fhir/R4/valueset-operation-expand.html `designation`: a use as `system|code`, or a language. */
function isAskedFor(asked: readonly string[]) {
  return ({ language, use }: Designation): boolean =>
    asked.length === 0 ||
    asked.some((token) => {
      const bar = token.lastIndexOf('|');
      const [system, code] = bar < 0 ? [undefined, token] : [token.slice(0, bar), token.slice(bar + 1)];
      const isLanguageToken = system === undefined || system === 'urn:ietf:bcp:47';
      if (isLanguageToken && isLanguage(language, code)) return true;
      return use?.code === code && (system === undefined || use.system === system);
    });
}

/** The value set without its definition, unless that is asked for; never the narrative, which describes the definition. */
function described({ text: _text, meta: _meta, ...valueSet }: ValueSet, whole: boolean): ValueSet {
  if (whole) return valueSet;
  const { resourceType, id, language, url, version, name, title, status, experimental, date } = valueSet;
  const kept = { resourceType, id, language, url, version, name, title, status, experimental, date };
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)) as unknown as ValueSet;
}

function versionsUsed({ used }: Library): NonNullable<ValueSetExpansion['parameter']> {
  return [...used]
    .filter((canonical) => toCanonical(canonical).version !== undefined)
    .map((canonical) =>
      // A urn:oid with a version behind it is no URI.
      canonical.startsWith('urn:')
        ? { name: 'version', valueString: canonical }
        : { name: 'version', valueUri: canonical },
    );
}

function tooLarge(total: number): Fault {
  const text =
    `The expansion has ${total} codes, and one answer holds ${MAX_CODES}. Ask page by page with offset and count, or ` +
    'narrow it with filter.';
  return new Fault('unprocessable', text, { code: 'too-costly' });
}
