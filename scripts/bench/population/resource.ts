// What the generated resources have in common, and the few shapes they are written with.

export interface Resource {
  readonly resourceType: string;
  readonly id: string;
  readonly [element: string]: unknown;
}

export interface Reference {
  readonly reference: string;
}

export const LOINC = 'http://loinc.org';
export const SNOMED = 'http://snomed.info/sct';
export const ICD10 = 'http://hl7.org/fhir/sid/icd-10-cm';
export const UCUM = 'http://unitsofmeasure.org';

export function concept(system: string, code: string, display?: string) {
  return { coding: [{ system, code, ...(display === undefined ? {} : { display }) }] };
}

export function referenceTo({ resourceType, id }: Pick<Resource, 'resourceType' | 'id'>): Reference {
  return { reference: `${resourceType}/${id}` };
}

const FIRST_DAY = Temporal.PlainDate.from('2024-07-01');
const dates = new Map<number, string>();

/** The date so many days after 1 July 2024. */
export function dateOf(day: number): string {
  let date = dates.get(day);
  if (date === undefined) {
    date = FIRST_DAY.add({ days: day }).toString();
    dates.set(day, date);
  }
  return date;
}

/** `dateOf(day)` at an hour and minute, as a FHIR dateTime in UTC. */
export function timeOf(day: number, hour: number, minute = 0): string {
  return `${dateOf(day)}T${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}:00Z`;
}
