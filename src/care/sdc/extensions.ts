// The extensions by which a Questionnaire says how it behaves, is filled in and is taken apart.
// https://hl7.org/fhir/uv/sdc/expressions.html
import type { Expression, Extension, QuestionnaireItem } from '@medplum/fhirtypes';

const SDC = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-';
const CORE = 'http://hl7.org/fhir/StructureDefinition/';

export const EXT = {
  launchContext: `${SDC}launchContext`,
  initialExpression: `${SDC}initialExpression`,
  calculatedExpression: `${SDC}calculatedExpression`,
  enableWhenExpression: `${SDC}enableWhenExpression`,
  itemPopulationContext: `${SDC}itemPopulationContext`,
  observationLinkPeriod: `${SDC}observationLinkPeriod`,
  observationExtract: `${SDC}observationExtract`,
  observationExtractCategory: `${SDC}observation-extract-category`,
  itemExtractionContext: `${SDC}itemExtractionContext`,
  definitionExtract: `${SDC}definitionExtract`,
  definitionExtractValue: `${SDC}definitionExtractValue`,
  allocateId: `${SDC}extractAllocateId`,
  variable: `${CORE}variable`,
  constraint: `${CORE}questionnaire-constraint`,
  targetConstraint: `${CORE}targetConstraint`,
  hidden: `${CORE}questionnaire-hidden`,
  minOccurs: `${CORE}questionnaire-minOccurs`,
  maxOccurs: `${CORE}questionnaire-maxOccurs`,
  minValue: `${CORE}minValue`,
  maxValue: `${CORE}maxValue`,
  minLength: `${CORE}minLength`,
  regex: `${CORE}regex`,
  maxDecimalPlaces: `${CORE}maxDecimalPlaces`,
  optionExclusive: `${CORE}questionnaire-optionExclusive`,
  unit: `${CORE}questionnaire-unit`,
  itemControl: `${CORE}questionnaire-itemControl`,
  ordinalValue: `${CORE}ordinalValue`,
  itemWeight: `${CORE}itemWeight`,
} as const;

interface Extended {
  readonly extension?: readonly Extension[];
}

export function extensionsOf(element: Extended | undefined, url: string): readonly Extension[] {
  return element?.extension?.filter((one) => one.url === url) ?? [];
}

export function extensionOf(element: Extended | undefined, url: string): Extension | undefined {
  return element?.extension?.find((one) => one.url === url);
}

/** The expressions of one kind, in the order they are written. */
export function expressionsOf(element: Extended | undefined, url: string): readonly Expression[] {
  return extensionsOf(element, url).flatMap(({ valueExpression }) => valueExpression ?? []);
}

/** A whole number or decimal that an extension of the item carries. */
export function numberIn(element: Extended | undefined, url: string): number | undefined {
  const found = extensionOf(element, url);
  return found?.valueInteger ?? found?.valueDecimal;
}

export function isHidden(item: QuestionnaireItem): boolean {
  return extensionOf(item, EXT.hidden)?.valueBoolean === true;
}

/** The points that a coding or an option is worth; undefined when it says nothing. */
export function weightIn(element: Extended | undefined): number | undefined {
  return numberIn(element, EXT.itemWeight) ?? numberIn(element, EXT.ordinalValue);
}
