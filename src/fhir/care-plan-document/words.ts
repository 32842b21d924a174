// FHIR data types in words. A text from a resource becomes one line without anything that could pass for layout.
import type {
  Annotation,
  CodeableConcept,
  ContactPoint,
  HumanName,
  Identifier,
  Period,
  Quantity,
} from '@medplum/fhirtypes';
import { exactText } from '../exact-json.ts';

/** Control characters, and those that turn the direction of what follows or cannot be seen. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** One line; empty when there is nothing to read. */
export function clean(text: string | undefined): string {
  return (text ?? '').toWellFormed().replace(INVISIBLE, ' ').replace(/\s+/gu, ' ').trim();
}

export function conceptText(concept: CodeableConcept | undefined): string {
  const coding = concept?.coding?.find(({ display }) => display !== undefined) ?? concept?.coding?.[0];
  return clean(concept?.text ?? coding?.display ?? coding?.code);
}

export function conceptTexts(concepts: readonly CodeableConcept[] | undefined): string {
  return [...new Set((concepts ?? []).map(conceptText))].filter((text) => text !== '').join('; ');
}

/** A code of FHIR as a person would write it: `in-progress` is "in progress". */
export function codeText(code: string | undefined): string {
  return clean(code).replaceAll('-', ' ');
}

const DATE_TIME = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** A date stays as it is; a time keeps the offset it was written with. */
export function dateText(date: string | undefined): string {
  const [, day, time, zone] = DATE_TIME.exec(date ?? '') ?? [];
  if (day === undefined) return clean(date);
  return `${day} ${time} ${zone === 'Z' ? 'UTC' : `UTC${zone}`}`;
}

export function periodText(period: Period | undefined): string {
  const [start, end] = [dateText(period?.start), dateText(period?.end)];
  if (start !== '' && end !== '') return `${start} to ${end}`;
  return start === '' ? (end === '' ? '' : `until ${end}`) : `from ${start}`;
}

const NAME_ORDER = ['official', 'usual'];

export function nameText(names: readonly HumanName[] | undefined): string {
  const current = (names ?? []).filter(({ use }) => use !== 'old' && use !== 'maiden');
  const name = NAME_ORDER.map((use) => current.find((one) => one.use === use)).find(Boolean) ?? current[0];
  if (!name) return '';
  const parts = [...(name.prefix ?? []), ...(name.given ?? []), name.family ?? '', ...(name.suffix ?? [])];
  const written = clean(parts.join(' '));
  return written === '' ? clean(name.text) : written;
}

export function contactTexts(contacts: readonly ContactPoint[] | undefined): string {
  return (contacts ?? [])
    .filter(({ use, value }) => use !== 'old' && value !== undefined)
    .map(({ system, value }) => clean(`${system === undefined ? '' : `${system} `}${value}`))
    .join('; ');
}

const SOCIAL_SECURITY = 'http://hl7.org/fhir/sid/us-ssn';

/** What a desk asks for. Social security numbers open more than a record, so they are not printed. */
export function identifierTexts(identifiers: readonly Identifier[] | undefined): string {
  return (identifiers ?? [])
    .filter(({ system, type, value }) => {
      const isSocial = system === SOCIAL_SECURITY || type?.coding?.some(({ code }) => code === 'SS' || code === 'SB');
      return value !== undefined && !isSocial;
    })
    .map(({ system, type, value }) => clean(`${conceptText(type) || system || ''} ${value}`))
    .join('; ');
}

export function quantityText(quantity: Quantity | undefined): string {
  if (quantity?.value === undefined) return '';
  const digits = exactText(quantity, 'value') ?? String(quantity.value);
  return clean(`${quantity.comparator ?? ''}${digits} ${quantity.unit ?? quantity.code ?? ''}`);
}

export function noteText(note: Annotation): string {
  const when = dateText(note.time);
  return clean(`${when === '' ? '' : `${when}: `}${note.text ?? ''}`);
}
