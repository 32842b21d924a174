// `Location?near=latitude|longitude|distance|units`: positions as points on a sphere of radius 1, where "within a
// distance" is a comparison of numbers without trigonometry, also at the poles and the date line.
// https://hl7.org/fhir/R4/location.html#search
import { decimalRange } from './decimal-range.ts';
import { alternatives, malformed, splitUnescaped, unescaped } from './parse-values.ts';
import type { Condition, ParameterKey } from './query.ts';

/** Where x, y and z are indexed. */
export const NEAR_AXES: readonly ParameterKey[] = [0, 1, 2].map((axis) => ({ type: 'Location', code: `near$${axis}` }));

const EARTH_RADIUS_KM = 6_371.0088;
/** Without a distance the server may choose what is near. */
const DEFAULT_KM = 50;
/** Kilometres per unit; UCUM codes and common names. */
const KILOMETRES: Readonly<Record<string, number>> = {
  km: 1,
  kms: 1,
  m: 0.001,
  '[mi_i]': 1.609344,
  mi: 1.609344,
  miles: 1.609344,
  '[ft_i]': 0.0003048,
};

/** @returns undefined when the numbers are no position on Earth */
export function pointOf(latitude: unknown, longitude: unknown): [x: number, y: number, z: number] | undefined {
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return undefined;
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return undefined;
  const [phi, lambda] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}

/** @throws Fault invalid */
export function parseNear(name: string, value: string): Condition {
  const of = alternatives(value, name).map((text): Condition => {
    const [latitude = '', longitude = '', distance = '', unit = '', ...more] = splitUnescaped(text, '|').map(unescaped);
    const point = pointOf(decimalRange(latitude)?.value, decimalRange(longitude)?.value);
    const far = distance === '' ? DEFAULT_KM : decimalRange(distance)?.value;
    const perUnit = distance === '' ? 1 : KILOMETRES[unit || 'km'];
    if (!point || far === undefined || far < 0 || perUnit === undefined || more.length > 0) {
      const units = Object.keys(KILOMETRES).join(', ');
      throw malformed({ name }, `"${text}"`, `It is latitude|longitude|distance|units; units are ${units}.`);
    }
    const angle = Math.min((far * perUnit) / EARTH_RADIUS_KM, Math.PI);
    return { kind: 'near', axes: NEAR_AXES, point, chord: 2 * Math.sin(angle / 2) };
  });
  return of.length === 1 && of[0] ? of[0] : { kind: 'any', of };
}
