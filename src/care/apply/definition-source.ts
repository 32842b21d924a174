// Where the definitions that a pathway is made of come from, and all that one needs, fetched before it is compiled.
import type { PlanDefinition, PlanDefinitionAction } from '@medplum/fhirtypes';
import type { ResourceOf } from '../records.ts';

export type DefinitionType = 'PlanDefinition' | 'ActivityDefinition' | 'Library';
export type Definition = ResourceOf<DefinitionType>;

export interface DefinitionSource {
  /** @param canonical `url` or `url|version`; without a version the newest active one */
  find<K extends DefinitionType>(type: K, canonical: string): Promise<ResourceOf<K> | undefined>;
}

/** What was fetched, by type and canonical as it was asked for. */
export interface Lookup {
  find<K extends DefinitionType>(type: K, canonical: string): ResourceOf<K> | undefined;
}

/** Fetches everything that `roots` name, directly or through one another. */
export async function gatherDefinitions(roots: readonly Definition[], source: DefinitionSource): Promise<Lookup> {
  const found = new Map<string, Definition>();
  const seen = new Set<string>();
  const waiting = roots.flatMap(namedBy);
  for (let canonical = waiting.pop(); canonical !== undefined; canonical = waiting.pop()) {
    if (seen.has(canonical)) continue;
    seen.add(canonical);
    for (const type of ['PlanDefinition', 'ActivityDefinition', 'Library'] as const) {
      const definition = await source.find(type, canonical);
      if (!definition) continue;
      found.set(`${type} ${canonical}`, definition);
      waiting.push(...namedBy(definition));
    }
  }
  return {
    find: <K extends DefinitionType>(type: K, canonical: string) =>
      found.get(`${type} ${canonical}`) as ResourceOf<K> | undefined,
  };
}

/** Over definitions that are all in memory. */
export function lookupIn(definitions: readonly Definition[]): Lookup {
  return {
    find: <K extends DefinitionType>(type: K, canonical: string) =>
      newestOf(definitions.filter((one): one is ResourceOf<K> => one.resourceType === type && isNamed(one, canonical))),
  };
}

/**
 * The one to use of several with the same url: one in effect, active before draft, then the highest version.
 * @param isNow whether it is in effect; absent: that does not matter
 */
export function newestOf<D extends Definition>(
  definitions: readonly D[],
  isNow: (definition: D) => boolean = () => true,
): D | undefined {
  const usable = definitions.filter(({ status }) => status !== 'retired');
  const rank = (one: D) => (isNow(one) ? 2 : 0) + (one.status === 'active' ? 1 : 0);
  return usable.toSorted((a, b) => rank(b) - rank(a) || compareVersions(b.version ?? '', a.version ?? ''))[0];
}

/** Whether a canonical, with or without version, means this definition. */
export function isNamed({ url, version }: Definition, canonical: string): boolean {
  const [wanted, wantedVersion] = canonical.split('|');
  return url === wanted && (wantedVersion === undefined || wantedVersion === version);
}

/** By the numbers in them: 1.10.0 is newer than 1.9.0. */
function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function namedBy(definition: Definition): string[] {
  const libraries = 'library' in definition ? (definition.library ?? []) : [];
  if (definition.resourceType === 'PlanDefinition') return [...libraries, ...namedByActions(definition.action)];
  const needed = definition.relatedArtifact?.filter(({ type }) => type === 'depends-on') ?? [];
  return [...libraries, ...needed.flatMap(({ resource }) => resource ?? [])];
}

function namedByActions(actions: PlanDefinition['action']): string[] {
  return (actions ?? []).flatMap((action: PlanDefinitionAction) => [
    ...(action.definitionCanonical ? [action.definitionCanonical] : []),
    ...(action.condition ?? []).flatMap(({ expression }) => expression?.reference ?? []),
    ...(action.dynamicValue ?? []).flatMap(({ expression }) => expression?.reference ?? []),
    ...namedByActions(action.action),
  ]);
}
