// From a target code to the sources that are mapped to it. An equivalence is given as it reads in that direction.
import type { Coding, ConceptMap } from '@medplum/fhirtypes';
import { toCanonical } from './canonical.ts';
import { inverse } from './equivalence.ts';
import type { Match, TranslateRequest } from './translation.ts';

export function translateBack(
  map: ConceptMap,
  { system, version, code }: Coding,
  { targetSystem }: Pick<TranslateRequest, 'targetSystem'>,
): Match[] {
  const matches: Match[] = [];
  for (const { source, sourceVersion, target, targetVersion, element = [] } of map.group ?? []) {
    const sourceSystem = source === undefined ? undefined : toCanonical(source).url;
    if (target !== undefined && toCanonical(target).url !== system) continue;
    if (targetVersion !== undefined && version !== undefined && targetVersion !== version) continue;
    if (targetSystem !== undefined && sourceSystem !== targetSystem) continue;
    for (const { code: from, display, target: targets = [] } of element) {
      for (const one of targets) {
        if (one.code !== code || from === undefined) continue;
        matches.push({
          equivalence: inverse(one.equivalence ?? 'relatedto'),
          concept: {
            ...(sourceSystem === undefined ? {} : { system: sourceSystem }),
            ...(sourceVersion === undefined ? {} : { version: sourceVersion }),
            code: from,
            ...(display === undefined ? {} : { display }),
          },
          product: [],
          source: map.url,
        });
      }
    }
  }
  return matches;
}
