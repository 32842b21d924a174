// Observations of one patient: heart rate, blood pressure with components, weight, and a social need.
import { concept, LOINC, type Reference, type Resource, SNOMED, timeOf, UCUM } from './resource.ts';
import { chance, pick, uuidOf } from './seeded.ts';

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';
const NEEDS = ['Transport', 'Food', 'Housing', 'Utilities', 'Loneliness'];

/** Five of them. @param day of the encounter they were made in */
export function measurementsOf(n: number, subject: Reference, encounter: Reference, day: number): Resource[] {
  const make = (what: string, category: string, at: number, rest: object): Resource => ({
    resourceType: 'Observation',
    id: uuidOf(`observation ${what} ${n}`),
    status: 'final',
    category: [concept(CATEGORY, category)],
    subject,
    encounter,
    effectiveDateTime: timeOf(day + at, 8 + chance(n, at, 9), chance(n, at + 50, 60)),
    ...rest,
  });
  const heartRate = (what: string, at: number) =>
    make(what, 'vital-signs', at, {
      code: concept(LOINC, '8867-4', 'Heart rate'),
      valueQuantity: { value: 55 + chance(n, 100 + at, 70), unit: 'beats/minute', system: UCUM, code: '/min' },
    });
  return [
    heartRate('heart-rate', 0),
    heartRate('heart-rate-2', 9),
    make('blood-pressure', 'vital-signs', 0, {
      code: concept(LOINC, '85354-9', 'Blood pressure panel with all children optional'),
      component: [
        pressure('8480-6', 'Systolic', 100 + chance(n, 3, 80)),
        pressure('8462-4', 'Diastolic', 60 + chance(n, 4, 45)),
      ],
    }),
    make('weight', 'vital-signs', 2, {
      code: concept(LOINC, '29463-7', 'Body weight'),
      valueQuantity: { value: 48 + chance(n, 5, 700) / 10, unit: 'kg', system: UCUM, code: 'kg' },
    }),
    make('need', 'social-history', 3, {
      code: { ...concept(LOINC, '93025-5', 'PRAPARE'), text: 'Social needs' },
      valueCodeableConcept: { ...concept(SNOMED, '733423003'), text: pick(NEEDS, n, 6) },
    }),
  ];
}

function pressure(code: string, display: string, value: number) {
  return {
    code: concept(LOINC, code, `${display} blood pressure`),
    valueQuantity: { value, unit: 'mmHg', system: UCUM, code: 'mm[Hg]' },
  };
}
