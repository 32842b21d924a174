// Values as an application sends and gets them, where FHIR has a choice of types: one member says which it is.
import type { CodeableConcept, Quantity, Range } from '@medplum/fhirtypes';
import Type, { type Static } from 'typebox';
import { Coded, codedOf, conceptOf } from './coded.ts';

const UCUM = 'http://unitsofmeasure.org';

const quantityMembers = {
  value: Type.Number(),
  unit: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'As people read it' })),
  code: Type.Optional(Type.String({ pattern: '^\\S+$', description: 'UCUM, unless `system` says otherwise' })),
  system: Type.Optional(Type.String({ format: 'uri', description: 'Code system of the unit' })),
};

export const Amount = Type.Object(quantityMembers, { additionalProperties: false });
export type Amount = Static<typeof Amount>;

export const Measured = Type.Object(
  {
    ...quantityMembers,
    comparator: Type.Optional(Type.Enum(['<', '<=', '>=', '>'], { description: 'Below, at most, at least, above' })),
  },
  { additionalProperties: false },
);
export type Measured = Static<typeof Measured>;

export const Value = Type.Object(
  {
    quantity: Type.Optional(Measured),
    range: Type.Optional(
      Type.Object(
        { low: Type.Optional(Amount), high: Type.Optional(Amount) },
        { additionalProperties: false, minProperties: 1 },
      ),
    ),
    coded: Type.Optional(Coded),
    text: Type.Optional(Type.String({ minLength: 1, maxLength: 10_000 })),
    boolean: Type.Optional(Type.Boolean()),
    integer: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false, minProperties: 1, maxProperties: 1, description: 'One of these' },
);
export type Value = Static<typeof Value>;

/** The part of a choice of types (`value[x]`, `detail[x]`) that a value becomes. */
export type Choice<Name extends string> = {
  [K in `${Name}Quantity`]?: Quantity;
} & { [K in `${Name}Range`]?: Range } & { [K in `${Name}CodeableConcept`]?: CodeableConcept } & {
  [K in `${Name}String`]?: string;
} & { [K in `${Name}Boolean`]?: boolean } & { [K in `${Name}Integer`]?: number };

/** @param name of the element, e.g. `value` or `detail` */
export function choiceOf<Name extends string>(name: Name, value: Value): Choice<Name> {
  const { quantity, range, coded, text, boolean, integer } = value;
  const one = (type: string, content: unknown) => ({ [`${name}${type}`]: content }) as Choice<Name>;
  if (quantity) return one('Quantity', quantityOf(quantity));
  if (range) {
    const { low, high } = range;
    return one('Range', { ...(low ? { low: quantityOf(low) } : {}), ...(high ? { high: quantityOf(high) } : {}) });
  }
  if (coded) return one('CodeableConcept', conceptOf(coded));
  if (text !== undefined) return one('String', text);
  return boolean === undefined ? one('Integer', integer) : one('Boolean', boolean);
}

/** Undefined for a type that applications do not get, e.g. a ratio; it stays in the FHIR resource. */
export function valueIn<Name extends string>(name: Name, holder: object): Value | undefined {
  const part = (type: string) => (holder as Record<string, unknown>)[`${name}${type}`];
  const quantity = measuredOf(part('Quantity') as Quantity | undefined);
  if (quantity) return { quantity };
  const range = part('Range') as Range | undefined;
  const [low, high] = [amountOf(range?.low), amountOf(range?.high)];
  if (low || high) return { range: { ...(low ? { low } : {}), ...(high ? { high } : {}) } };
  const coded = codedOf(part('CodeableConcept') as CodeableConcept | undefined);
  if (coded) return { coded };
  const text = part('String') ?? part('Markdown');
  if (typeof text === 'string') return { text };
  const [boolean, integer] = [part('Boolean'), part('Integer')];
  if (typeof boolean === 'boolean') return { boolean };
  return typeof integer === 'number' ? { integer } : undefined;
}

function quantityOf({ value, unit, code, system, comparator }: Measured): Quantity {
  return {
    value,
    ...(comparator ? { comparator } : {}),
    ...(unit === undefined ? {} : { unit }),
    ...(code === undefined ? {} : { system: system ?? UCUM, code }),
  };
}

function amountOf(quantity: Quantity | undefined): Amount | undefined {
  const { value, unit, code, system } = quantity ?? {};
  if (value === undefined) return undefined;
  return {
    value,
    ...(unit === undefined ? {} : { unit }),
    ...(code === undefined ? {} : { code }),
    ...(code === undefined || system === undefined || system === UCUM ? {} : { system }),
  };
}

function measuredOf(quantity: Quantity | undefined): Measured | undefined {
  const amount = amountOf(quantity);
  const comparator = quantity?.comparator;
  return amount && (comparator ? { ...amount, comparator } : amount);
}
