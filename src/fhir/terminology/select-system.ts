// The part of an include that names a code system: listed codes, or all concepts that pass the filters.
// https://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.compose.include
import type { ValueSetComposeInclude, ValueSetComposeIncludeConcept } from '@medplum/fhirtypes';
import type { Concept, ConceptSystem } from './concept-system.ts';
import { type ConceptTest, compileFilter } from './filter.ts';
import type { Answer, Gap } from './gap.ts';
import type { Library } from './library.ts';
import type { Member, Selection } from './selection.ts';

export type SystemPart = Omit<ValueSetComposeInclude, 'system'> & { readonly system: string };

/** Codes of the one system, whatever version was asked for. */
interface OfSystem {
  has(code: string): Answer;
  members(): Iterable<Member>;
  readonly gaps: readonly Gap[];
}

export function selectSystem(library: Library, part: SystemPart): Selection {
  const system = library.codeSystem(part.system, part.version);
  const { has, members, gaps } = selectCodes(library, part, system);
  return {
    members,
    gaps,
    has(asked) {
      if (asked.system !== undefined && asked.system !== part.system) return false;
      const { version } = asked;
      const selected = system?.version ?? part.version;
      if (version === undefined || selected === undefined || version === selected) return has(asked.code);
      if (part.version !== undefined) return part.version === version && has(asked.code);
      // A value set that names no version is about every version, one that is not here included.
      return selectSystem(library, { ...part, version }).has(asked);
    },
  };
}

function selectCodes(library: Library, part: SystemPart, system: ConceptSystem | undefined): OfSystem {
  if (part.concept) return selectListed(part, part.concept, system);
  if (!system) return cannotTell(missing(library, part));
  if (system.concepts.length === 0) return cannotTell(noContent(part, system));
  const filters = (part.filter ?? []).map((filter) => compileFilter(system, filter));
  const [problem] = filters.filter((filter) => typeof filter === 'string');
  if (problem !== undefined) return cannotTell(gap(part, 'filter', problem));
  const passes: ConceptTest = (concept) => (filters as ConceptTest[]).every((test) => test(concept));
  return selectConcepts(part, system, passes);
}

function selectListed(
  part: SystemPart,
  concepts: readonly ValueSetComposeIncludeConcept[],
  system: ConceptSystem | undefined,
): OfSystem {
  const listed = new Map(concepts.map((concept) => [concept.code as string, concept]));
  return {
    has: (code) => listed.has(code) || (system !== undefined && listed.has(system.find(code)?.code ?? '')),
    *members() {
      for (const [code, given] of listed) {
        yield toMember(part, code, system, system?.find(code), given);
      }
    },
    gaps: [],
  };
}

function selectConcepts(part: SystemPart, system: ConceptSystem, passes: ConceptTest): OfSystem {
  return {
    has(code) {
      const concept = system.find(code);
      if (!concept) return system.complete ? false : undefined;
      return passes(concept);
    },
    *members() {
      for (const concept of system.concepts) {
        if (passes(concept)) yield toMember(part, concept.code, system, concept);
      }
    },
    gaps: system.complete ? [] : [incomplete(part, system)],
  };
}

function cannotTell(found: Gap): OfSystem {
  return { has: () => undefined, members: () => [], gaps: [found] };
}

function toMember(
  part: SystemPart,
  code: string,
  of: ConceptSystem | undefined,
  concept: Concept | undefined,
  listed?: ValueSetComposeIncludeConcept,
): Member {
  return { system: part.system, version: of?.version ?? part.version, code, listed, concept, of };
}

function gap(part: SystemPart, why: Gap['why'], text: string, partial = false): Gap {
  return { system: part.system, why, text, partial };
}

function missing(library: Library, part: SystemPart): Gap {
  const others = library.codeSystemVersions(part.system);
  if (others.length === 0) return gap(part, 'unknown', `The code system ${part.system} is not here.`);
  const which = part.version === undefined ? 'The version asked for' : `Version ${part.version}`;
  const text = `${which} of ${part.system} is not here; there is ${others.join(', ')}.`;
  return gap(part, 'unknown-version', text);
}

function noContent(part: SystemPart, { resource }: ConceptSystem): Gap {
  return gap(part, 'no-content', `The codes of ${part.system} are not here (its content is ${resource.content}).`);
}

function incomplete(part: SystemPart, { resource: { content } }: ConceptSystem): Gap {
  return gap(part, 'incomplete', `Only some codes of ${part.system} are here (its content is ${content}).`, true);
}
