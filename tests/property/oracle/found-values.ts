// What a search parameter finds in a resource: its FHIRPath expression evaluated by fhirpath.js, with the type of each
// value as R4 defines it.
import type { Resource } from '@medplum/fhirtypes';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { typeReferredTo } from './references.ts';
import type { Component, Parameter } from './search-definitions.ts';

export interface Found {
  readonly type: string;
  readonly value: unknown;
  /** Where R4 defines the element: `Task.status`. */
  readonly element: string;
}

/** What fhirpath.js knows of a value, as long as it is not told to make plain JSON of it. */
interface Node {
  readonly data?: unknown;
  readonly fhirNodeDataType?: string;
  readonly path?: string;
  readonly parentResNode?: Node | null;
  readonly propName?: string | null;
}

type Evaluate = (input: unknown, environment?: Readonly<Record<string, unknown>>) => readonly unknown[];

/** There is nothing to resolve when one resource is indexed: what is asked of `resolve()` is the type referred to. */
const RESOLVES = /where\(\s*resolve\(\) is (\w+)\s*\)/g;
let resource: Resource;

const OPTIONS = {
  resolveInternalTypes: false,
  userInvocationTable: {
    refersTo: {
      arity: { 1: ['String'] },
      fn: (nodes: readonly Node[], type: string) =>
        nodes.map((node) => typeReferredTo(node.data ?? node, resource) === type),
    },
  },
} as unknown as Parameters<typeof fhirpath.compile>[2];

const compiled = new Map<string, Evaluate>();

function compile(expression: string, base: string): Evaluate {
  const key = `${base} ${expression}`;
  const known = compiled.get(key);
  if (known) return known;
  const readable = expression.replace(RESOLVES, "where(refersTo('$1'))");
  const path = base === '' ? readable : { base, expression: readable };
  const evaluate = fhirpath.compile(path as string, r4, OPTIONS as never) as unknown as Evaluate;
  compiled.set(key, evaluate);
  return evaluate;
}

function evaluate(expression: string, input: unknown, base = ''): (Node & Found)[] {
  return compile(expression, base)(input, { resource }).flatMap((node) => readNode(node));
}

function readNode(node: unknown): (Node & Found)[] {
  if (typeof node !== 'object' || node === null) return [{ type: typeof node, value: node, path: '', element: '' }];
  const { data, fhirNodeDataType = '', path = '', parentResNode, propName } = node as Node;
  // An element with nothing but an extension has no value.
  if (data === undefined || data === null) return [];
  const value = isDecimal(data) ? data.value : data;
  return [{ type: fhirNodeDataType, value, path, element: `${parentResNode?.path}.${propName}` }];
}

/** fhirpath.js wraps numbers to keep their digits. */
function isDecimal(data: unknown): data is { readonly value: number } {
  return typeof data === 'object' && data !== null && 'decimalPlaces' in data;
}

/** The values of a parameter that is no composite. */
export function foundValues(parameter: Parameter, from: Resource): Found[] {
  resource = from;
  return evaluate(parameter.expression, from);
}

/** Of each repetition of a composite, what its components find. */
export function foundParts({ expression, components }: Parameter, from: Resource): Found[][][] {
  resource = from;
  return evaluate(expression, from).map(({ value, path }) =>
    components.map((component: Component) => evaluate(component.expression, value, path)),
  );
}
