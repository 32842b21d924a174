// Who pays for a stay, as the protocols ask for it: the kinds of the coverages that were in force at the discharge.
import type { ConceptMap, Coverage } from '@medplum/fhirtypes';
import type { Anchor } from '../deadline.ts';
import { toInstant, toLastInstant } from '../local-time.ts';
import { MAPS } from '../systems.ts';
import { createCodeReader } from './mapped-code.ts';

/** Reads the payer kinds (CodeSystem payer-kind) of coverages by ConceptMap payer-kind, each once. */
export type PayerReader = (coverages: readonly Coverage[], at: Pick<Anchor, 'discharge' | 'zone'>) => string[];

/** @throws Fault unprocessable when the map is missing */
export function createPayerReader(maps: readonly ConceptMap[]): PayerReader {
  const kindOf = createCodeReader(maps, MAPS.payer);
  return (coverages, at) => [
    ...new Set(coverages.filter((one) => isInForce(one, at)).flatMap(({ type }) => kindOf(type) ?? [])),
  ];
}

function isInForce({ status, period }: Coverage, { discharge, zone }: Pick<Anchor, 'discharge' | 'zone'>): boolean {
  if (status !== 'active') return false;
  const begun = !period?.start || Temporal.Instant.compare(toInstant(period.start, zone), discharge) <= 0;
  return begun && (!period?.end || Temporal.Instant.compare(toLastInstant(period.end, zone), discharge) >= 0);
}
