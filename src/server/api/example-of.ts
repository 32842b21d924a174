// An example of an answer, made from its schema: what the schema shows of a member, else a value by the member's name. So that
// every operation has one, and none can differ from what is answered.
import type { TSchema } from 'typebox';

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly format?: string;
  readonly minimum?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly minItems?: number;
}

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-12-01T14:00:00-05:00',
  date: '2026-12-01',
  'date-or-time': '2026-12-01',
  uri: 'https://example.org/one',
};

const NAMES: Readonly<Record<string, string>> = {
  id: '0192f3c4-7a10-7c55-9b1e-2f6f4c1d8a01',
  version: '1',
  reference: 'Patient/12',
  display: 'Rosa Diaz',
  system: 'http://snomed.info/sct',
  code: '84114007',
  status: 'active',
  text: 'Heart failure',
  title: 'Living at home with heart failure',
  description: 'Call about weight and breathing',
  priority: 'routine',
  unit: 'kg',
};
const MOMENTS =
  /^(start|end|ended|started|due|done|date|when|at|made|created|sent|received|since|until|admitted|discharged)$/;

/** Members that are not needed are shown down to this depth. */
const SHOWN = 4;

/** @returns a value that the schema allows */
export function exampleOf(schema: TSchema): unknown {
  return make(schema as Schema, '', 0);
}

function make(schema: Schema, name: string, depth: number): unknown {
  const [shown] = schema.examples ?? schema.enum ?? [schema.const ?? schema.default];
  if (shown !== undefined) return shown;
  const [first] = schema.anyOf ?? schema.oneOf ?? [];
  if (first) return make(first, name, depth);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => make(part, name, depth)));
  switch (schema.type) {
    case 'object':
      return members(schema, depth);
    case 'array':
      return schema.items && (depth < SHOWN || schema.minItems) ? [make(schema.items, name, depth + 1)] : [];
    case 'string':
      return (
        FORMATS[schema.format ?? ''] ?? NAMES[name] ?? (MOMENTS.test(name) ? FORMATS['date-time'] : name || 'text')
      );
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    default:
      return {};
  }
}

function members(schema: Schema, depth: number): Record<string, unknown> {
  const { properties = {}, required = [], minProperties = 0, maxProperties } = schema;
  const named = Object.entries(properties).filter(
    ([name]) => depth < SHOWN || minProperties > 0 || required.includes(name),
  );
  const shown = named.slice(0, maxProperties ?? named.length);
  return Object.fromEntries(shown.map(([name, part]) => [name, make(part, name, depth + 1)]));
}
