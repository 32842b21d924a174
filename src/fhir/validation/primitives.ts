// FHIR's primitive types as JSON schema: JSON type, range and text format. https://hl7.org/fhir/R4/datatypes.html#primitive

/** What a format accepts and how it is explained. */
interface Format {
  readonly accepts: (text: string) => boolean;
  readonly wanted: string;
}

const DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/;
const TIME = /^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?$/;
const ZONE = /(Z|[+-](0\d|1[0-3]):[0-5]\d|[+-]14:00)$/;
const UUID = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const OID = /^urn:oid:[0-2](\.(0|[1-9]\d*))+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f]/;

export const FORMATS: Readonly<Record<string, Format>> = {
  string: {
    accepts: (text) => /\S/.test(text) && !CONTROL.test(text),
    wanted: 'a text that is not empty and has no control characters',
  },
  code: {
    accepts: (text) => /^\S+(?:\s\S+)*$/.test(text),
    wanted: 'a code: not empty, without spaces at its ends or two in a row',
  },
  id: {
    accepts: (text) => /^[A-Za-z0-9.-]{1,64}$/.test(text),
    wanted: 'an id: 1 to 64 letters, digits, "-" and "."',
  },
  uri: { accepts: isUri, wanted: 'a URI: not empty, without spaces; urn:uuid and urn:oid in their own form' },
  oid: { accepts: (text) => OID.test(text), wanted: 'an OID such as urn:oid:1.2.3' },
  uuid: {
    accepts: (text) => UUID.test(text),
    wanted: 'a UUID such as urn:uuid:c757873d-ec9a-4326-a141-556f43239520',
  },
  base64Binary: { accepts: isBase64, wanted: 'base64' },
  date: { accepts: isDate, wanted: 'a date that exists: YYYY, YYYY-MM or YYYY-MM-DD' },
  dateTime: {
    accepts: (text) => isDate(text) || isDateTime(text),
    wanted: 'a date that exists: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a time zone',
  },
  instant: { accepts: isDateTime, wanted: 'a moment that exists: YYYY-MM-DDThh:mm:ss with a time zone' },
  time: { accepts: (text) => TIME.test(text) && !text.includes(':60'), wanted: 'a time: hh:mm:ss' },
};

type Schema = Readonly<Record<string, unknown>>;

const text = (format: string): Schema => ({ type: 'string', format });
const integer = (minimum: number): Schema => ({ type: 'integer', minimum, maximum: 2_147_483_647 });

const SCHEMAS: Readonly<Record<string, Schema>> = {
  boolean: { type: 'boolean' },
  decimal: { type: 'number' },
  integer: integer(-2_147_483_648),
  unsignedInt: integer(0),
  positiveInt: integer(1),
  markdown: text('string'),
  xhtml: text('string'),
  canonical: text('uri'),
  url: text('uri'),
};

/** The schema of a primitive type; `nullable` for the places of a list that have only extensions. */
export function primitiveSchema(type: string, nullable: boolean): Record<string, unknown> {
  const schema = SCHEMAS[type] ?? text(Object.hasOwn(FORMATS, type) ? type : 'string');
  return nullable ? { ...schema, type: [schema.type, 'null'] } : { ...schema };
}

function isDate(value: string): boolean {
  const match = DATE.exec(value);
  if (!match) return false;
  const [, year, month, day] = match.map(Number);
  if (year === 0) return false;
  if (match[2] === undefined) return true;
  if (!month || month > 12) return false;
  return match[3] === undefined || (!!day && day <= daysIn(year as number, month));
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function isDateTime(value: string): boolean {
  if (value.charAt(10) !== 'T' || !isDate(value.slice(0, 10))) return false;
  const zone = ZONE.exec(value);
  return zone !== null && TIME.test(value.slice(11, zone.index));
}

function isUri(value: string): boolean {
  if (value === '' || /\s/.test(value)) return false;
  if (value.startsWith('urn:uuid:')) return UUID.test(value);
  return !value.startsWith('urn:oid:') || OID.test(value);
}

function isBase64(value: string): boolean {
  const plain = /\s/.test(value) ? value.replace(/\s+/g, '') : value;
  return plain.length > 0 && plain.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(plain);
}
