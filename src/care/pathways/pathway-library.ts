// The pathways there are: those that come with Baton, compiled when it starts, and those that are stored.
import type { PlanDefinition, Resource } from '@medplum/fhirtypes';
import {
  type Definition,
  type DefinitionSource,
  type DefinitionType,
  gatherDefinitions,
  isNamed,
  type Lookup,
  lookupIn,
  newestOf,
} from '../apply/definition-source.ts';
import { isInEffect, type Moment } from '../apply/in-effect.ts';
import type { Pathway } from '../apply/pathway.ts';
import { canonicalOf, readPathway } from '../apply/read-pathway.ts';
import { hasCode } from '../concept.ts';
import { findReadable } from '../find-readable.ts';
import type { Records, ResourceOf } from '../records.ts';
import { CODE_SYSTEM } from '../systems.ts';

/** A compiled pathway with the definitions it was compiled from. */
export interface ReadPathway {
  readonly pathway: Pathway;
  readonly lookup: Lookup;
}

export interface PathwayLibrary {
  /** Active pathways that a case can follow, by title; a stored one stands in for what came with Baton under its url. */
  list(records: Records): Promise<PlanDefinition[]>;
  /** @param name its id, its url, or `url|version` */
  find(name: string, records: Records): Promise<PlanDefinition | undefined>;
  /** @throws Fault unprocessable when it cannot be carried out as it is written */
  read(definition: PlanDefinition, records: Records, parameters?: readonly string[]): Promise<ReadPathway>;
  /** Definitions from everywhere the caller may look. */
  source(records: Records): DefinitionSource;
}

/**
 * @param artefacts resources of profiles/
 * @param moment of several versions of a definition the one in effect counts; absent: the newest
 * @throws Fault unprocessable naming pathway and action, when one that comes with Baton cannot be carried out
 */
export function createPathwayLibrary(artefacts: readonly Resource[], moment?: () => Moment): PathwayLibrary {
  const brought = artefacts.filter(isDefinition);
  const lookup = lookupIn(brought);
  const plans = brought.filter((one) => one.resourceType === 'PlanDefinition').filter(isForCases);
  const isNow = moment && ((one: Definition) => isInEffect(one, moment()));
  // Of several versions another counts on another day.
  const isSettled = new Set(brought.map(({ resourceType, url }) => `${resourceType} ${url}`)).size === brought.length;
  const compiled = new Map(plans.map((plan) => [canonicalOf(plan), { pathway: readPathway(plan, lookup), lookup }]));

  const source = (records: Records): DefinitionSource => ({
    async find<K extends DefinitionType>(type: K, canonical: string) {
      const [url = '', version] = canonical.split('|');
      const mine = brought.filter((one): one is ResourceOf<K> => one.resourceType === type && isNamed(one, canonical));
      const stored = await storedOf(records, type, version === undefined ? { url } : { url, version });
      return newestOf([...stored, ...mine] as Definition[], isNow) as ResourceOf<K> | undefined;
    },
  });

  return {
    source,
    async list(records) {
      const stored = await storedOf(records, 'PlanDefinition', { status: 'active' });
      const all = [...stored, ...plans].filter(({ status }) => status === 'active').filter(isForCases);
      const byUrl = Map.groupBy(all, ({ url, id }) => url ?? id ?? '');
      const newest = [...byUrl.values()].flatMap((same) => newestOf(same, isNow) ?? []);
      return newest.sort((a, b) => ((a.title ?? '') < (b.title ?? '') ? -1 : 1));
    },
    async find(name, records) {
      if (name.includes(':')) return source(records).find('PlanDefinition', name);
      const stored = await records.read('PlanDefinition', name);
      return stored ?? plans.find(({ id }) => id === name);
    },
    async read(definition, records, parameters = []) {
      const known =
        isSettled && parameters.length === 0 && plans.includes(definition) && compiled.get(canonicalOf(definition));
      if (known) return known;
      const found = await gatherDefinitions([definition], source(records));
      return { pathway: readPathway(definition, found, parameters), lookup: found };
    },
  };
}

/** Protocols of transitions and notices of a stay start by themselves, from a discharge and an admission. */
export function isForCases({ topic, type }: PlanDefinition): boolean {
  const isProtocol = ['transition-of-care', 'stay-notices'].some((kind) =>
    topic?.some((one) => hasCode(one, CODE_SYSTEM.episodeType, kind)),
  );
  const isRule = type?.coding?.some(({ code }) => code === 'eca-rule') ?? false;
  return !isProtocol && !isRule;
}

/** What a pathway is made of. */
export function isDefinition(resource: Resource): resource is Definition {
  return ['PlanDefinition', 'ActivityDefinition', 'Library'].includes(resource.resourceType);
}

function storedOf<K extends DefinitionType>(records: Records, type: K, search: Record<string, string>) {
  return findReadable(records, type, search);
}
