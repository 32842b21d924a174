// The end of a stay of which nobody has told: when its discharge was recorded stands in for it, and is marked as such.
import type { Extension, Period } from '@medplum/fhirtypes';
import { instantOf, withInstant } from './event-time.ts';

/** On Encounter.period.end: the end is no more than that moment, when the discharge was recorded. Any other end was told. */
const STAND_IN = 'https://baton.health/fhir/StructureDefinition/stand-in-end';

/** A period whose end may have extensions, which @medplum/fhirtypes leaves out. */
interface ExtendedPeriod extends Period {
  readonly _end?: { readonly extension?: Extension[] };
}

/** False also when somebody has given the stay another end since and has left the mark. */
export function isStandIn(period: Period | undefined): boolean {
  const { end, _end } = (period ?? {}) as ExtendedPeriod;
  const recorded = instantOf(_end, STAND_IN);
  if (!recorded || !end?.includes('T')) return false;
  return Temporal.Instant.from(end).epochMilliseconds === recorded.epochMilliseconds;
}

/** The period with that end, and with the mark only when it stands in. */
export function withEnd(period: Period | undefined, end: string | undefined, standsIn = false): Period {
  const { end: _, _end: _mark, ...rest } = (period ?? {}) as ExtendedPeriod;
  if (end === undefined) return rest;
  if (!standsIn) return { ...rest, end };
  return { ...rest, end, _end: { extension: withInstant(undefined, STAND_IN, Temporal.Instant.from(end)) } } as Period;
}
