// PV2 -> the rest of Encounter: why the patient came, how urgent it is, how long it is to be. When discharge is expected: whereabouts.ts.
import type { Encounter, Extension } from '@medplum/fhirtypes';
import { readDateTime } from '../er7/timestamp.ts';
import { readConcept } from './coded.ts';
import { filled, present } from './person.ts';
import type { Reading } from './reading.ts';

/** The R5 element as an R4 extension. https://hl7.org/fhir/R5/versions.html#extensions */
const PLANNED = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.';

type VisitDetails = Pick<Encounter, 'extension' | 'reasonCode' | 'priority' | 'length'>;

/** @throws Refusal AE 102 impossible date */
export function readVisitDetails(reading: Reading): VisitDetails {
  const pv2 = reading.message.segment('PV2');
  if (!pv2) return {};
  const planned = (field: number, element: string): Extension[] => {
    const valueDateTime = readDateTime(pv2, field, reading.facility.zone);
    return valueDateTime ? [{ url: PLANNED + element, valueDateTime }] : [];
  };
  const days = pv2.text(11);
  const details: VisitDetails = {
    extension: planned(8, 'plannedStartDate'),
    reasonCode: filled([readConcept(pv2.first(3))]),
    priority: readConcept(pv2.first(25), 'http://terminology.hl7.org/CodeSystem/v2-0217'),
    length: /^\d{1,5}$/.test(days)
      ? { value: Number(days), unit: 'd', system: 'http://unitsofmeasure.org', code: 'd' }
      : undefined,
  };
  return present(details) ?? {};
}
