// The codes, identifiers and texts in a value, by its type.
// https://hl7.org/fhir/R4/search.html#token and #string
import type { Found } from './found-values.ts';

interface Coding {
  readonly system?: string;
  readonly code?: string;
  readonly display?: string;
}

interface Concept {
  readonly coding?: readonly Coding[];
  readonly text?: string;
}

interface Identifier {
  readonly system?: string;
  readonly value?: string;
  readonly type?: Concept;
}

type Coded = Pick<Coding, 'system' | 'code'>;

export function codingsOf({ type, value }: Found): Coded[] {
  switch (type) {
    case 'Coding':
      return [value as Coding];
    case 'CodeableConcept':
      return [...((value as Concept).coding ?? [])];
    case 'Identifier':
    case 'ContactPoint': {
      const { system, value: code } = value as Identifier;
      return [{ ...(system ? { system } : {}), ...(code === undefined ? {} : { code }) }];
    }
    default:
      return typeof value === 'object' ? [] : [{ code: String(value) }];
  }
}

/** What `:text` looks at. */
export function tokenTextsOf({ type, value }: Found): string[] {
  const of = ({ coding = [], text }: Concept) => [text, ...coding.map(({ display }) => display)];
  const texts =
    type === 'CodeableConcept'
      ? of(value as Concept)
      : type === 'Coding'
        ? [(value as Coding).display]
        : type === 'Identifier'
          ? [(value as Identifier).type?.text]
          : [];
  return texts.filter((text) => text !== undefined);
}

export function typedValuesOf({ type, value }: Found): { system?: string; code?: string; value?: string }[] {
  if (type !== 'Identifier') return [];
  const { type: { coding = [] } = {}, value: text } = value as Identifier;
  return coding.map(({ system, code }) => ({
    ...(system ? { system } : {}),
    ...(code ? { code } : {}),
    ...(text ? { value: text } : {}),
  }));
}

const NAME = ['text', 'family', 'given', 'prefix', 'suffix'];
const ADDRESS = ['text', 'line', 'city', 'district', 'state', 'postalCode', 'country'];

export function textsOf({ type, value }: Found): string[] {
  if (typeof value === 'string') return [value];
  const parts = type === 'HumanName' ? NAME : type === 'Address' ? ADDRESS : [];
  const source = value as Readonly<Record<string, string | readonly string[] | undefined>>;
  return parts.flatMap((part) => source[part] ?? []);
}

/** Without accents and case: upper case, because every letter's two lower cases (σ, ς) and ß, SS meet there. */
export function folded(text: string): string {
  const bare = (one: string) => one.normalize('NFD').replace(/\p{M}/gu, '');
  return bare(bare(text).toUpperCase());
}
