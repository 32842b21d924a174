// The value of an answer, whatever its type.
import type { Coding, QuestionnaireItem, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import type { TypedValue } from '../../fhir/fhirpath/typed-value.ts';

/** The value[x] that each type of question takes. */
export const VALUE_KEYS: Readonly<Record<string, readonly string[]>> = {
  boolean: ['valueBoolean'],
  decimal: ['valueDecimal'],
  integer: ['valueInteger'],
  date: ['valueDate'],
  dateTime: ['valueDateTime'],
  time: ['valueTime'],
  string: ['valueString'],
  text: ['valueString'],
  url: ['valueUri'],
  choice: ['valueCoding', 'valueInteger', 'valueDate', 'valueTime', 'valueString', 'valueReference'],
  'open-choice': ['valueCoding', 'valueString', 'valueInteger', 'valueDate', 'valueTime', 'valueReference'],
  attachment: ['valueAttachment'],
  reference: ['valueReference'],
  quantity: ['valueQuantity'],
};

/** The property that holds the value (`valueCoding`), and the value; undefined for an answer without one. */
export function valueIn(element: object): { readonly key: string; readonly value: unknown } | undefined {
  for (const [key, value] of Object.entries(element)) {
    if (/^(value|initial)[A-Z]/.test(key)) return { key, value };
  }
  return undefined;
}

/** As FHIRPath sees it. */
export function typedAnswer(answer: QuestionnaireResponseItemAnswer): TypedValue | undefined {
  const found = valueIn(answer);
  return found && { type: typeOfKey(found.key), value: found.value };
}

const COMPLEX = new Set(['Coding', 'Quantity', 'Reference', 'Attachment', 'CodeableConcept', 'Expression']);

/** FHIR type of the value that a `valueX` holds. */
export function typeOfKey(key: string): string {
  const name = key.replace(/^(value|initial|answer|fixed)/, '');
  return COMPLEX.has(name) ? name : name.charAt(0).toLowerCase() + name.slice(1);
}

/** Two codings mean the same when code and system agree; one that names no system agrees with any. */
export function sameCoding(left: Coding | undefined, right: Coding | undefined): boolean {
  if (left?.code === undefined || left.code !== right?.code) return false;
  return left.system === undefined || right.system === undefined || left.system === right.system;
}

/** Whether an answer has the value of an option. */
export function isOption(answer: object, option: object): boolean {
  const [given, offered] = [valueIn(answer), valueIn(option)];
  if (!given || !offered || given.key.replace('initial', 'value') !== offered.key) return false;
  if (offered.key === 'valueCoding') return sameCoding(given.value as Coding, offered.value as Coding);
  if (offered.key === 'valueReference') return referenceIn(given.value) === referenceIn(offered.value);
  return given.value === offered.value;
}

export function optionFor(item: QuestionnaireItem, answer: object) {
  return item.answerOption?.find((option) => isOption(answer, option));
}

const referenceIn = (value: unknown) => (value as { reference?: string } | undefined)?.reference;
