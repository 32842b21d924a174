// Codes of others as Baton's own, by a ConceptMap: the first group that knows a code wins, so that the finer system comes first.
import type { CodeableConcept, ConceptMap } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';

/**
 * A reader by the map with this url.
 * @returns from a concept to a code of the map's target; undefined when no group knows it
 * @throws Fault unprocessable when there is no such map
 */
export function createCodeReader(
  maps: readonly ConceptMap[],
  url: string,
): (concept: CodeableConcept | undefined) => string | undefined {
  const map = maps.find((one) => one.url === url);
  if (!map) throw new Fault('unprocessable', `profiles/ has no ConceptMap ${url}.`);
  const groups = (map.group ?? []).map(({ source, element }) => ({
    source,
    targets: new Map(element.map(({ code, target }) => [code, target?.[0]?.code])),
  }));
  return (concept) => {
    for (const { source, targets } of groups) {
      for (const { system, code } of concept?.coding ?? []) {
        const target = system === source ? targets.get(code) : undefined;
        if (target) return target;
      }
    }
    return undefined;
  };
}
