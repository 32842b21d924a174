// What a file of profiles/policies may say. Checked when Baton starts, so that a misspelt word never decides about a merge.
import { Ajv, type ErrorObject } from 'ajv';
import { Fault } from '../../fault.ts';
import type { MergePolicy } from '../../fhir/merge3.ts';

export interface ResourcePolicy extends MergePolicy {
  /** `push`: deleting here deletes there. `keep`, when absent: the remote keeps its copy. */
  readonly delete?: 'keep' | 'push';
  /**
   * By top-level element, the codes that end something: when ours is one of them and the remote changed it to another
   * value at the same time, a person decides, whatever `paths` says.
   */
  readonly final?: Readonly<Record<string, readonly string[]>>;
  /** Top-level elements, as codes, that our untouched copy gets when the remote deleted its own. Absent: it stays as it is. */
  readonly gone?: Readonly<Record<string, string>>;
}

const code = { type: 'string', pattern: '^[a-z][a-z-]*$' } as const;
const codes = { type: 'array', items: code } as const;
const element = '^[a-z][A-Za-z]*$';
const preference = { enum: ['ours', 'theirs', 'union', 'append', 'review'] } as const;

const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    default: preference,
    paths: {
      type: 'object',
      propertyNames: { pattern: '^[a-z_][A-Za-z]*(\\[x\\])?(\\.[a-z_][A-Za-z]*(\\[x\\])?)*$' },
      additionalProperties: preference,
    },
    delete: { enum: ['keep', 'push'] },
    gone: { type: 'object', propertyNames: { pattern: element }, additionalProperties: code },
    final: { type: 'object', propertyNames: { pattern: element }, additionalProperties: codes },
  },
} as const;

const check = new Ajv({ allErrors: true }).compile<ResourcePolicy>(SCHEMA);

/**
 * @param file as a person finds it, for the message
 * @throws Fault invalid, with every place that is wrong and what is allowed there
 */
export function readPolicy(file: string, text: string): ResourcePolicy {
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch (error) {
    throw new Fault('invalid', `${file} is not JSON: ${(error as Error).message}`);
  }
  if (!check(policy)) throw new Fault('invalid', `${file}: ${(check.errors ?? []).map(sentence).join('; ')}.`);
  return policy;
}

function sentence({ instancePath, message = 'is wrong', params, propertyName }: ErrorObject): string {
  const at = propertyName === undefined ? instancePath || '/' : `${instancePath}/${propertyName}`;
  if ('allowedValues' in params) return `${at} must be one of ${(params.allowedValues as string[]).join(', ')}`;
  if ('additionalProperty' in params) return `${at} has no setting "${params.additionalProperty}"`;
  return `${at} ${message}`;
}
