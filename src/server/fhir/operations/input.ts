// The input of an operation, alike from a query string and from a Parameters resource, or a bare resource, in the body.
// https://hl7.org/fhir/R4/operations.html#executing
import type { ParametersParameter, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../../fault.ts';
import type { FhirRequest } from '../context.ts';
import { parsePrefer } from '../prefer.ts';
import type { Operation } from './operation.ts';

export interface OperationInput {
  /** A primitive as text, the first of that name. */
  value(name: string): string | undefined;
  /** Primitives as text, all of that name. */
  values(name: string): string[];
  /** @throws Fault invalid (`required`) when it is not there */
  required(name: string): string;
  /** True or false as FHIR writes it. @throws Fault invalid for another text */
  flag(name: string): boolean | undefined;
  /** A whole number from 0. @throws Fault invalid for another text */
  count(name: string): number | undefined;
  resource(name: string): Resource | undefined;
  /** Parameters of a name as they were given, for complex values (`valueCoding`, `part`…). */
  all(name: string): readonly ParametersParameter[];
}

/** Parameters of every request, not of the operation. */
const GENERAL = new Set(['_format', '_pretty', '_summary', '_elements']);

/**
 * @param bare name of the parameter that a body which is not a Parameters resource stands for
 * @throws Fault invalid for a body that is no resource, and under strict handling for a parameter the operation lacks
 */
export function operationInput(operation: Operation, request: FhirRequest, bare = 'resource'): OperationInput {
  const inUrl = request.pairs
    .filter(([name]) => !GENERAL.has(name))
    .map(([name, value]): ParametersParameter => ({ name, valueString: value }));
  const given = [...inUrl, ...parametersIn(request.body, bare)];
  const unknown = given.find(({ name }) => !operation.inputs.includes(name));
  if (unknown && parsePrefer(request.headers.prefer).handling === 'strict') throw notAnInput(operation, unknown.name);
  const all = (name: string) => given.filter((parameter) => parameter.name === name);
  const values = (name: string) => all(name).map((parameter) => textOf(parameter));
  const value = (name: string) => values(name)[0];
  return {
    all,
    values,
    value,
    required: (name) => value(name) ?? missing(name),
    flag: (name) => asFlag(name, value(name)),
    count: (name) => asCount(name, value(name)),
    resource: (name) => all(name)[0]?.resource,
  };
}

function parametersIn(body: unknown, bare: string): ParametersParameter[] {
  if (body === undefined || body === null) return [];
  if (typeof body !== 'object' || !('resourceType' in body)) {
    throw new Fault('invalid', 'The body must be a Parameters resource.', { code: 'structure' });
  }
  if (body.resourceType !== 'Parameters') return [{ name: bare, resource: body as Resource }];
  const parameters: unknown = (body as { parameter?: unknown }).parameter ?? [];
  if (!Array.isArray(parameters) || !parameters.every(isNamed)) {
    throw new Fault('invalid', 'Parameters.parameter must be a list of parameters with names.', {
      code: 'structure',
      expression: 'Parameters.parameter',
    });
  }
  return parameters;
}

function isNamed(parameter: unknown): parameter is ParametersParameter {
  return (
    typeof parameter === 'object' && parameter !== null && 'name' in parameter && typeof parameter.name === 'string'
  );
}

/** @throws Fault invalid when the parameter holds no primitive */
function textOf(parameter: ParametersParameter): string {
  const [, value] = Object.entries(parameter).find(([key]) => key.startsWith('value')) ?? [];
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Fault('invalid', `The parameter ${parameter.name} must have a primitive value.`, { code: 'value' });
}

function missing(name: string): never {
  throw new Fault('invalid', `The operation needs the parameter ${name}.`, { code: 'required' });
}

function asFlag(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (text === 'true') return true;
  if (text === 'false') return false;
  throw new Fault('invalid', `The parameter ${name} must be true or false.`, { code: 'value' });
}

function asCount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Fault('invalid', `The parameter ${name} must be a whole number from 0.`, { code: 'value' });
}

function notAnInput({ code, inputs }: Operation, name: string): Fault {
  const known = inputs.length === 0 ? 'It takes none.' : `It takes ${inputs.join(', ')}.`;
  return new Fault('invalid', `$${code} has no parameter ${name}. ${known}`, { code: 'not-supported' });
}
