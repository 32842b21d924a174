// What an expression or a record says, as answers to a question of a certain type.
import type {
  CodeableConcept,
  Coding,
  QuestionnaireItem,
  QuestionnaireResponseItemAnswer,
  Reference,
} from '@medplum/fhirtypes';
import type { Collection, TypedValue } from '../../fhir/fhirpath/typed-value.ts';
import { isOption, sameCoding } from './answer-value.ts';
import { EXT, extensionOf } from './extensions.ts';

type Answer = QuestionnaireResponseItemAnswer;

/** Values that cannot be an answer to the question are left out; of a question that does not repeat the first is taken. */
export function answersFrom(values: Collection, item: QuestionnaireItem): Answer[] {
  const answers = values.flatMap((value) => {
    const answer = answerFrom(value, item);
    return answer ? [answer] : [];
  });
  return item.repeats ? answers : answers.slice(0, 1);
}

function answerFrom({ type, value }: TypedValue, item: QuestionnaireItem): Answer | undefined {
  if (value === undefined || value === null) return undefined;
  switch (item.type) {
    case 'boolean':
      return typeof value === 'boolean' ? { valueBoolean: value } : undefined;
    case 'integer': {
      const number = numberIn(value);
      return number !== undefined && Number.isInteger(number) ? { valueInteger: number } : undefined;
    }
    case 'decimal': {
      const number = numberIn(value);
      return number === undefined ? undefined : { valueDecimal: number };
    }
    case 'quantity':
      return quantityFrom(value, item);
    case 'date':
      return typeof value === 'string' && /^\d{4}/.test(value) ? { valueDate: value.slice(0, 10) } : undefined;
    case 'dateTime':
      return typeof value === 'string' && /^\d{4}/.test(value) ? { valueDateTime: value } : undefined;
    case 'time':
      return typeof value === 'string' ? { valueTime: value } : undefined;
    case 'url':
      return typeof value === 'string' ? { valueUri: value } : undefined;
    case 'string':
    case 'text': {
      const text = textOf(value);
      return text === undefined ? undefined : { valueString: text };
    }
    case 'choice':
    case 'open-choice':
      return choiceFrom(value, item);
    case 'reference': {
      const reference = referenceFrom(type, value);
      return reference ? { valueReference: reference } : undefined;
    }
    case 'attachment':
      return typeof value === 'object' ? { valueAttachment: value } : undefined;
    default:
      return undefined;
  }
}

function numberIn(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const inside = (value as { value?: unknown }).value;
  return typeof value === 'object' && typeof inside === 'number' ? inside : undefined;
}

function quantityFrom(value: unknown, item: QuestionnaireItem): Answer | undefined {
  if (typeof value === 'object') return numberIn(value) === undefined ? undefined : { valueQuantity: value as object };
  if (typeof value !== 'number') return undefined;
  return { valueQuantity: { value, ...unitOf(item) } };
}

/** The unit that a question asks for, as the parts of a Quantity. */
export function unitOf(item: QuestionnaireItem): { unit?: string; system?: string; code?: string } {
  const { display, system, code } = extensionOf(item, EXT.unit)?.valueCoding ?? {};
  const unit = display ?? code;
  return { ...(unit ? { unit } : {}), ...(system ? { system } : {}), ...(code ? { code } : {}) };
}

function textOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return String(value);
  const { text, coding, display } = value as CodeableConcept & { display?: string };
  return text ?? display ?? coding?.[0]?.display;
}

/** A code may stand for the option that has it; a concept for whichever of its codings is an option. */
function choiceFrom(value: unknown, item: QuestionnaireItem): Answer | undefined {
  const offered = item.answerOption ?? [];
  const codings = codingsIn(value, item);
  for (const coding of codings) {
    const option = offered.find(({ valueCoding }) => sameCoding(valueCoding, coding));
    if (option?.valueCoding) return { valueCoding: plainCoding(option.valueCoding) };
  }
  if (codings[0] && offered.length === 0 && codings[0].system) return { valueCoding: plainCoding(codings[0]) };
  const plain = plainAnswer(value);
  const option = plain && offered.find((one) => isOption(plain, one));
  if (option) return plain;
  const text = item.type === 'open-choice' ? textOf(value) : undefined;
  return text === undefined ? undefined : { valueString: text };
}

function codingsIn(value: unknown, item: QuestionnaireItem): readonly Coding[] {
  if (typeof value === 'string') {
    const option = item.answerOption?.find(({ valueCoding }) => valueCoding?.code === value);
    return option?.valueCoding ? [option.valueCoding] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  const { coding, code } = value as CodeableConcept & Coding;
  return coding ?? (code === undefined ? [] : [value as Coding]);
}

function plainAnswer(value: unknown): Answer | undefined {
  if (typeof value === 'number') return { valueInteger: value };
  return typeof value === 'string' ? { valueString: value } : undefined;
}

/** Without the points that the option carries: they belong to the form. */
export function plainCoding({ system, version, code, display }: Coding): Coding {
  return {
    ...(system ? { system } : {}),
    ...(version ? { version } : {}),
    ...(code ? { code } : {}),
    ...(display ? { display } : {}),
  };
}

function referenceFrom(type: string, value: unknown): Reference | undefined {
  if (typeof value === 'string') return { reference: value };
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, resourceType } = value as { id?: string; resourceType?: string };
  if (resourceType !== undefined) return id === undefined ? undefined : { reference: `${resourceType}/${id}` };
  return type === 'Reference' || 'reference' in value ? (value as Reference) : undefined;
}
