// The codes that an operation is asked about: a code with its system, a Coding, or a CodeableConcept; one of them.
import type { CodeableConcept, Coding } from '@medplum/fhirtypes';
import { Fault } from '../../../fault.ts';
import type { OperationInput } from './input.ts';

/** Names of the parameters that go with `code`. */
export interface CodeParameters {
  readonly system: string | undefined;
  readonly version: string;
  readonly display?: string;
}

/**
 * @param names of the parameters that complete `code`; without `system` the operation itself knows it
 * @throws Fault invalid: `required` when there is none, `structure` for what is no Coding, `invalid` for several
 */
export function codingsIn(input: OperationInput, names: CodeParameters): readonly Coding[] {
  const given = ['code', 'coding', 'codeableConcept'].filter((name) => input.all(name).length > 0);
  if (given.length > 1 || given.some((name) => input.all(name).length > 1)) {
    throw new Fault('invalid', 'Give exactly one code, coding or codeableConcept.');
  }
  switch (given[0]) {
    case 'code':
      return [codeIn(input, names)];
    case 'coding':
      return [codingIn(input, 'coding')];
    case 'codeableConcept':
      return conceptIn(input).coding ?? [];
    default:
      throw new Fault('invalid', 'The operation needs a code, coding or codeableConcept.', { code: 'required' });
  }
}

function codeIn(input: OperationInput, names: CodeParameters): Coding {
  const system = names.system === undefined ? undefined : input.required(names.system);
  const version = input.value(names.version);
  const display = names.display === undefined ? undefined : input.value(names.display);
  return {
    ...(system === undefined ? {} : { system }),
    ...(version === undefined ? {} : { version }),
    code: input.required('code'),
    ...(display === undefined ? {} : { display }),
  };
}

/** @throws Fault invalid when the parameter holds something else than a Coding */
export function codingIn(input: OperationInput, name: string): Coding {
  const value: unknown = input.all(name)[0]?.valueCoding;
  if (isCoding(value)) return value;
  throw new Fault('invalid', `The parameter ${name} must be a Coding.`, { code: 'structure' });
}

function conceptIn(input: OperationInput): CodeableConcept {
  const value: unknown = input.all('codeableConcept')[0]?.valueCodeableConcept;
  const codings = typeof value === 'object' && value !== null && 'coding' in value ? value.coding : [];
  if (typeof value === 'object' && value !== null && Array.isArray(codings) && codings.every(isCoding)) return value;
  throw new Fault('invalid', 'The parameter codeableConcept must be a CodeableConcept.', { code: 'structure' });
}

function isCoding(value: unknown): value is Coding {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { system, version, code, display } = value as Record<string, unknown>;
  return [system, version, code, display].every((text) => text === undefined || typeof text === 'string');
}
