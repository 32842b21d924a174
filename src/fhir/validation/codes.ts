// Whether coded values are in the value set that a required binding names.
// https://hl7.org/fhir/R4/terminologies.html#required
import type { ElementDefinitionBinding } from '@medplum/fhirtypes';
import type { Definitions } from '../definitions.ts';
import type { ValueSetCodes } from '../terminology/value-set-codes.ts';

/** The reason why a value breaks a required binding, or undefined when it does not (or nobody here can tell). */
export type BindingCheck = (value: unknown) => string | undefined;

interface Coding {
  readonly system?: string;
  readonly code?: string;
}

/** Value sets that are a syntax rather than a list. */
const SYNTAX: Readonly<Record<string, { form: RegExp; wanted: string }>> = {
  'http://hl7.org/fhir/ValueSet/mimetypes': {
    form: /^[\w!#$&^.+-]+(\/[\w!#$&^.+-]+)?(\s*;\s*[\w!#$&^.+-]+=("[^"]*"|[^\s;]+))*$/,
    wanted: 'a MIME type such as text/plain',
  },
  'http://hl7.org/fhir/ValueSet/currencies': { form: /^[A-Z]{3}$/, wanted: 'a currency code such as USD' },
};

export function bindingCheck(definitions: Definitions, valueSet: string): BindingCheck | undefined {
  const url = valueSet.replace(/\|.*$/, '');
  const syntax = Object.hasOwn(SYNTAX, url) ? SYNTAX[url] : undefined;
  if (syntax) return (value) => badSyntax(value, syntax);
  const codes = definitions.codes(url);
  if (!codes) return undefined;
  return (value) => {
    if (isMember(value, codes) !== false) return undefined;
    return codesOf(value).length > 0 ? notIn(url, codes) : `A code from the value set ${url} is needed here.`;
  };
}

/** The value set that codes beyond an extensible binding must come from. */
export function maxValueSetOf(binding: ElementDefinitionBinding | undefined): string | undefined {
  const most = binding?.extension?.find(({ url }) => url.endsWith('/elementdefinition-maxValueSet'));
  return most?.valueCanonical ?? most?.valueUri;
}

/** Whether a code, Coding, CodeableConcept or Quantity is in a value set; undefined when nobody here can tell. */
export function valueSetTest(definitions: Definitions, valueSet: string): (value: unknown) => boolean | undefined {
  const codes = definitions.codes(valueSet);
  return (value) => (codes ? isMember(value, codes) : undefined);
}

function isMember(value: unknown, codes: ValueSetCodes): boolean | undefined {
  const given = codesOf(value);
  if (given.length === 0) return typeof value === 'object' && value !== null && isTextAlone(value) ? false : undefined;
  const answers = given.map(({ code, system }) => codes.has(code, system));
  if (answers.includes(true)) return true;
  return answers.includes(undefined) ? undefined : false;
}

function codesOf(value: unknown): { code: string; system?: string }[] {
  if (typeof value === 'string') return [{ code: value }];
  if (typeof value !== 'object' || value === null) return [];
  const { coding } = value as { coding?: unknown };
  const codings = (Array.isArray(coding) ? coding : [value]) as Coding[];
  return codings.flatMap(({ code, system }) =>
    code === undefined ? [] : [{ code, ...(system === undefined ? {} : { system }) }],
  );
}

function badSyntax(value: unknown, { form, wanted }: { form: RegExp; wanted: string }): string | undefined {
  return typeof value === 'string' && !form.test(value) ? `This is not ${wanted}.` : undefined;
}

/** Text alone does not satisfy a required binding; extensions alone (a data absent reason) may. */
function isTextAlone(value: object): boolean {
  return 'text' in value || 'display' in value;
}

function notIn(url: string, { all }: ValueSetCodes): string {
  const choice = all && all.length <= 12 ? `; use one of ${all.join(', ')}` : '';
  return `This code is not in the required value set ${url}${choice}.`;
}
