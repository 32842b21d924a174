// An entry of a section in one line, for the narrative that stands in for the data.
import type { CodeableConcept, Period, Quantity, Resource } from '@medplum/fhirtypes';
import { clean, conceptText, dateText, periodText, quantityText } from '../../fhir/care-plan-document/words.ts';

/** Elements that say what, in order of how well they do. */
interface Told {
  readonly code?: CodeableConcept;
  readonly vaccineCode?: CodeableConcept;
  readonly medicationCodeableConcept?: CodeableConcept;
  readonly codeCodeableConcept?: CodeableConcept;
  readonly type?: CodeableConcept;
  readonly title?: string;
  readonly description?: unknown;
  readonly valueQuantity?: Quantity;
  readonly valueCodeableConcept?: CodeableConcept;
  readonly valueString?: string;
  readonly valueInteger?: number;
  readonly effectiveDateTime?: string;
  readonly performedDateTime?: string;
  readonly performedPeriod?: Period;
  readonly occurrenceDateTime?: string;
  readonly onsetDateTime?: string;
  readonly authoredOn?: string;
  readonly date?: string;
  readonly period?: Period;
}

export function entryLine(resource: Resource): string {
  const told = resource as unknown as Told;
  const value =
    quantityText(told.valueQuantity) ||
    conceptText(told.valueCodeableConcept) ||
    clean(told.valueString) ||
    (told.valueInteger === undefined ? '' : String(told.valueInteger));
  return [whatOf(told, resource.resourceType), value, whenOf(told)].filter((part) => part !== '').join(', ');
}

function whatOf(told: Told, type: string): string {
  const concepts = [
    told.code,
    told.vaccineCode,
    told.medicationCodeableConcept,
    told.codeCodeableConcept,
    Array.isArray(told.type) ? undefined : told.type,
  ];
  const named = concepts.map((one) => conceptText(one)).find((text) => text !== '');
  const described = typeof told.description === 'string' ? clean(told.description) : '';
  return (named ?? (clean(told.title) || described)) || type;
}

function whenOf(told: Told): string {
  const { effectiveDateTime, performedDateTime, occurrenceDateTime, onsetDateTime, authoredOn, date } = told;
  const day = effectiveDateTime ?? performedDateTime ?? occurrenceDateTime ?? onsetDateTime ?? authoredOn ?? date;
  return dateText(day) || periodText(told.performedPeriod ?? told.period);
}
