// Compiles the schema of a route to a check that names the member at fault in the words of who sent it:
// `goals[0].target.due`. What is unknown is refused, and nothing is coerced but the texts of a URL.
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { TSchema } from 'typebox';
import { FORMATS } from '../../care/formats.ts';
import { Fault } from '../../fault.ts';

/** Issues of one refusal; whoever sends more mistakes learns of the others next time. */
const MOST_ISSUES = 20;

/** The schemas are Baton's own, so strictness is enough; to compile that of all schemas would take longer than any of them. */
const OURS = { allErrors: true, strict: true, validateSchema: false } as const;
const inBody = withFormats(new Ajv2020({ ...OURS, strictRequired: false, allowUnionTypes: true }));
const inUrl = withFormats(new Ajv2020({ ...OURS, coerceTypes: 'array' }));

function withFormats(ajv: Ajv2020): Ajv2020 {
  for (const [name, { accepts }] of Object.entries(FORMATS)) ajv.addFormat(name, { type: 'string', validate: accepts });
  // Words for the documentation.
  ajv.addKeyword('example');
  return ajv;
}

/** @throws Fault invalid */
export type CheckInput = (value: unknown) => void;

export function bodyCheck(schema: TSchema): CheckInput {
  return checkWith(inBody, schema);
}

/** Numbers and booleans arrive as text, and become what the schema says in place. */
export function urlCheck(schema: TSchema): CheckInput {
  return checkWith(inUrl, schema);
}

/** Compiled when it is first asked: all routes at once would be most of the start. */
function checkWith(ajv: Ajv2020, schema: TSchema): CheckInput {
  let validate: ValidateFunction | undefined;
  return (value) => {
    validate ??= ajv.compile(schema);
    if (validate(value)) return;
    const issues = plainest(validate.errors ?? [])
      .slice(0, MOST_ISSUES)
      .map(issueOf);
    const sentence = issues[0]?.details?.text ?? 'The request is not what this route takes.';
    throw new Fault('invalid', sentence, { issues });
  };
}

/** Of a choice of which no way fits, what the ways themselves miss says more than that none fits, when it lies deeper. */
function plainest(errors: readonly ErrorObject[]): ErrorObject[] {
  const choices = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf');
  const within = (error: ErrorObject, choice: ErrorObject) =>
    error !== choice && error.schemaPath.startsWith(`${choice.schemaPath}/`);
  const kept = errors.filter((error) => {
    const choice = choices.find((each) => within(error, each));
    return !choice || error.instancePath.length > choice.instancePath.length;
  });
  return kept.filter((error) => !choices.includes(error) || !kept.some((other) => within(other, error)));
}

function issueOf({ instancePath, keyword, params, message = 'is wrong' }: ErrorObject): OperationOutcomeIssue {
  const added = keyword === 'required' ? params.missingProperty : params.additionalProperty;
  const member = memberAt(instancePath, typeof added === 'string' ? added : undefined);
  const what = member === '' ? 'The body' : member;
  return {
    severity: 'error',
    code: CODES[keyword] ?? 'value',
    details: { text: `${what} ${sayingOf(keyword, params, message)}.` },
    ...(member === '' ? {} : { expression: [member] }),
  };
}

const CODES: Readonly<Record<string, OperationOutcomeIssue['code']>> = {
  required: 'required',
  additionalProperties: 'structure',
  unevaluatedProperties: 'structure',
  type: 'structure',
};

function sayingOf(keyword: string, params: Record<string, unknown>, message: string): string {
  switch (keyword) {
    case 'required':
      return 'is missing';
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return 'is not known here';
    case 'const':
      return `must be ${JSON.stringify(params.allowedValue)}`;
    case 'enum':
      return `must be one of ${(params.allowedValues as unknown[]).map(String).join(', ')}`;
    case 'format':
      return `must be ${FORMATS[String(params.format)]?.means ?? params.format}`;
    default:
      return message;
  }
}

/** `/goals/0/target` and `due` are `goals[0].target.due`. */
function memberAt(pointer: string, added: string | undefined): string {
  const parts = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return [...parts, ...(added === undefined ? [] : [added])].reduce(
    (path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`),
    '',
  );
}
