// The last result of a stay for one of some codes, in the unit that a score counts in.
import type { Observation, Quantity } from '@medplum/fhirtypes';
import { toLastInstant } from '../local-time.ts';
import type { AnsweredInput } from './answered-input.ts';
import type { ComponentOf, Known } from './risk-method.ts';
import { isWithin, type StayTime } from './stay-time.ts';

/** Results that a laboratory stands by. */
const RELIABLE: readonly Observation['status'][] = ['final', 'amended', 'corrected'];

/** A result belongs to the encounter it names, else to the stay that it was taken in. */
export function lastResult(
  component: ComponentOf<'last-result'>,
  results: readonly Observation[],
  stay: StayTime,
): AnsweredInput {
  const own = results.filter((result) => isAsked(result, component) && isOfStay(result, stay));
  const last = own.toSorted((a, b) => Temporal.Instant.compare(takenAt(a, stay.zone), takenAt(b, stay.zone))).at(-1);
  const { code, name } = component;
  if (!last) return { shownBy: [], missing: [{ code, words: name }] };
  const known = last.valueQuantity && inUnit(last.valueQuantity, component.units);
  if (!known) return { shownBy: [last], missing: [{ code, words: `${name} as a number in a unit that is known` }] };
  return { known, shownBy: [last], missing: [] };
}

function isAsked({ code, status }: Observation, { codes }: ComponentOf<'last-result'>): boolean {
  if (!RELIABLE.includes(status)) return false;
  return code.coding?.some((coding) => codes.includes(`${coding.system}|${coding.code}`)) ?? false;
}

function isOfStay(result: Observation, stay: StayTime): boolean {
  const taken = timeOf(result);
  if (taken === undefined) return false;
  // The visit of a result may be one within the stay; the time decides unless it names the stay itself.
  const { encounter, zone, until } = stay;
  if (result.encounter?.reference === encounter) return isWithin(taken, { encounter, zone, until });
  return stay.from !== undefined && isWithin(taken, stay);
}

const timeOf = ({ effectiveDateTime, effectiveInstant, effectivePeriod }: Observation) =>
  effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.end ?? effectivePeriod?.start;

const takenAt = (result: Observation, zone: string) => toLastInstant(timeOf(result) ?? '', zone);

/** Undefined when the unit is none of those, or there is no number. */
function inUnit(
  { value, code, unit, comparator }: Quantity,
  units: Readonly<Record<string, number>>,
): Known | undefined {
  const factor = units[code ?? ''] ?? units[unit ?? ''];
  if (value === undefined || factor === undefined) return undefined;
  const converted = value * factor;
  if (comparator === '<') return { low: 0, high: converted * (1 - Number.EPSILON) };
  if (comparator === '<=') return { low: 0, high: converted };
  if (comparator) return { low: converted, high: Number.POSITIVE_INFINITY };
  return { low: converted, high: converted };
}
