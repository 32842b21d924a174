// XPN, XAD and XTN -> HumanName, Address and ContactPoint. https://build.fhir.org/ig/HL7/v2-to-fhir/
import type { Address, ContactPoint, HumanName, Patient } from '@medplum/fhirtypes';
import type { Repetition, Segment } from '../er7/message.ts';
import sex from '../tables/0001-sex.json' with { type: 'json' };
import addressType from '../tables/0190-address-type.json' with { type: 'json' };
import nameType from '../tables/0200-name-type.json' with { type: 'json' };
import telecomUse from '../tables/0201-telecom-use.json' with { type: 'json' };
import telecomEquipment from '../tables/0202-telecom-equipment.json' with { type: 'json' };
import { lookUp } from '../tables.ts';

type Present<T> = { [K in keyof T]: T[K] };

/** The object without empty strings, empty arrays and undefined; undefined when nothing is left. */
export function present<T extends object>(object: T): Present<T> | undefined {
  let kept: Partial<T> | undefined;
  for (const name in object) {
    const value: unknown = object[name];
    if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) continue;
    kept ??= {};
    kept[name] = object[name];
  }
  return kept as Present<T> | undefined;
}

/** The array, or undefined when it is empty: FHIR has no empty arrays. */
export function filled<T>(items: readonly (T | undefined)[]): T[] | undefined {
  const kept = items.filter((item) => item !== undefined);
  return kept.length > 0 ? kept : undefined;
}

/** @param from component of the family name: 1 in XPN, 2 in XCN */
export function readName(field: Repetition, from = 1): HumanName | undefined {
  const words = (...components: number[]) => components.map((at) => field.get(at)).filter((word) => word !== '');
  const use = from === 1 ? lookUp(nameType.codes, field.get(7)) : undefined;
  const name = present({
    family: field.get(from),
    given: [
      ...words(from + 1),
      ...field
        .get(from + 2)
        .split(' ')
        .filter(Boolean),
    ],
    suffix: words(from + 3, from + 5),
    prefix: words(from + 4),
  });
  return name && { ...(use ? { use: use as HumanName['use'] } : {}), ...name };
}

export function readAddress(field: Repetition): Address | undefined {
  const street = field.get(1) || [field.get(1, 3), field.get(1, 2)].filter(Boolean).join(' ');
  const address = present({
    line: [street, field.get(2)].filter((line) => line !== ''),
    city: field.get(3),
    district: field.get(9),
    state: field.get(4),
    postalCode: field.get(5),
    country: field.get(6),
  });
  const meaning = lookUp<{ use?: string; type?: string }>(addressType.codes, field.get(7));
  return address && { ...(meaning as Pick<Address, 'use' | 'type'> | undefined), ...address };
}

/** @param use when the field does not say: `home` for PID-13, `work` for PID-14 */
export function readTelecom(field: Repetition, use?: ContactPoint['use']): ContactPoint | undefined {
  const equipment = lookUp<{ system: string; use?: string }>(telecomEquipment.codes, field.get(3));
  const email = equipment?.system === 'email' || field.get(2) === 'NET' ? field.get(4) || field.get(1) : '';
  const value = email || phoneNumber(field);
  if (value === '') return undefined;
  const system = email ? 'email' : equipment && equipment.system !== 'email' ? equipment.system : 'phone';
  const said = equipment?.use ?? lookUp(telecomUse.codes, field.get(2)) ?? use;
  return { system: system as ContactPoint['system'], value, ...(said ? { use: said as ContactPoint['use'] } : {}) };
}

function phoneNumber(field: Repetition): string {
  const whole = field.get(12) || field.get(1);
  if (whole) return whole;
  const [country, area, local, extension] = [field.get(5), field.get(6), field.get(7), field.get(8)];
  if (local === '') return '';
  const number = [country && `+${country.replace(/^\+/, '')}`, area, local].filter(Boolean).join(' ');
  return extension ? `${number} ext. ${extension}` : number;
}

export function readGender(segment: Segment, field: number): Patient['gender'] {
  return lookUp(sex.codes, segment.text(field)) as Patient['gender'];
}

/** PID-15, NK1-20: a language as BCP 47 when its code is known, else as text. */
export function readLanguage(field: Repetition): NonNullable<Patient['communication']>[number] | undefined {
  const text = field.get(2) || field.get(1);
  if (text === '') return undefined;
  const code = languageTag(field.get(1));
  return { language: { ...(code ? { coding: [{ system: 'urn:ietf:bcp:47', code }] } : {}), text } };
}

/** `eng` and `EN` -> `en`; undefined for what is no language code. */
function languageTag(code: string): string | undefined {
  if (!/^[a-z]{2,3}(-[a-z]{2})?$/i.test(code)) return undefined;
  const tag = Intl.getCanonicalLocales(code)[0];
  return tag && new Intl.DisplayNames('en', { type: 'language', fallback: 'none' }).of(tag) ? tag : undefined;
}
