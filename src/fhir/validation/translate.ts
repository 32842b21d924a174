// ajv's errors -> sentences. Everything else (choices, rules, codes) is reported by its keyword.
import type { ErrorObject } from 'ajv';
import { type IssueCode, shown } from './issue.ts';
import { typeNameOf } from './json-type.ts';
import { FORMATS } from './primitives.ts';
import { report, type Visit } from './visit.ts';

interface Finding {
  readonly code: IssueCode;
  readonly text: string;
  /** JSON pointer below the place of the error. */
  readonly below?: string;
}

/** Adds the issues for ajv's errors to the visit. */
export function translate(errors: readonly ErrorObject[], visit: Visit): void {
  for (const error of errors) {
    const finding = findingOf(error);
    if (finding) report(visit, 'error', finding.code, finding.text, error.instancePath + (finding.below ?? ''));
  }
}

function findingOf({ keyword, params, data }: ErrorObject): Finding | undefined {
  switch (keyword) {
    case 'type':
      return { code: 'structure', text: `${wanted(params.type)}, not ${typeNameOf(data)}.` };
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      return { code: 'structure', text: `There is no property "${shown(key)}" here.`, below: `/${escaped(key)}` };
    }
    case 'minItems':
      return { code: 'structure', text: 'A list may not be empty; leave it out.' };
    case 'minProperties':
      return { code: 'structure', text: 'An element may not be empty; leave it out.' };
    case 'const':
      return { code: 'structure', text: `This must be "${params.allowedValue}".` };
    case 'format':
      return { code: 'value', text: `This is not ${FORMATS[String(params.format)]?.wanted}.` };
    case 'minimum':
    case 'maximum':
      return {
        code: 'value',
        text: `This number is out of range; it must be ${params.comparison} ${params.limit}.`,
      };
    case 'if': // the branch that failed has its own error
      return undefined;
    default:
      return { code: 'structure', text: 'This does not have the form that FHIR requires.' };
  }
}

const NAMES: Readonly<Record<string, string>> = {
  array: 'This must be a list',
  object: 'This must be an object',
  string: 'This must be a text',
  number: 'This must be a number',
  integer: 'This must be a whole number',
  boolean: 'This must be true or false',
};

function wanted(type: unknown): string {
  const [first] = Array.isArray(type) ? type : String(type).split(',');
  return NAMES[String(first)] ?? 'This must have another type';
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
