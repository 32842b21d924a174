// What is not wrong but worth knowing before a resource is sent: codes outside of the value set that they should come
// from, displays and units that are not what they seem. Asked for by $validate; writes do without.
import type { Definitions } from '../../definitions.ts';
import { fieldOfProperty } from '../../fhirpath/type-model.ts';
import { isPrimitive, type TypedValue } from '../../fhirpath/typed-value.ts';
import { valueSetTest } from '../codes.ts';
import { report, type Visit } from '../visit.ts';
import { codingAdvice } from './coding-advice.ts';
import { isUcum } from './ucum.ts';

/** A sentence about a value, or undefined when there is nothing to say. */
type Advice = (value: unknown) => string | undefined;

const UCUM = 'http://unitsofmeasure.org';

export function createAdviser(definitions: Definitions): (visit: Visit) => void {
  const onCoding = codingAdvice(definitions.terminology);
  const onBindings = new Map<string, Advice | undefined>();

  function onBinding(path: string): Advice | undefined {
    if (!onBindings.has(path)) onBindings.set(path, bindingAdvice(definitions, path));
    return onBindings.get(path);
  }

  function look({ type, value }: TypedValue, pointer: string, visit: Visit): void {
    if (type === 'Coding') warn(visit, onCoding(value), pointer);
    if (type === 'Quantity') warn(visit, unitAdvice(value), `${pointer}/code`);
    for (const [key, child] of Object.entries(value as object)) {
      const field = fieldOfProperty(type, key);
      if (!field || key.startsWith('_') || field.type === 'Resource') continue;
      const advice = onBinding(`${type}.${field.name}`);
      const items = Array.isArray(child) ? child.map((item, at) => [item, `/${at}`] as const) : [[child, ''] as const];
      for (const [item, index] of items) {
        const at = `${pointer}/${key}${index}`;
        if (advice) warn(visit, advice(item), at);
        if (!isPrimitive(field.type) && typeof item === 'object' && item)
          look({ type: field.type, value: item }, at, visit);
      }
    }
  }

  return (visit) => look({ type: visit.type, value: visit.resource }, '', visit);
}

/** @param path of an element in its base definition: `CarePlan.category` */
function bindingAdvice(definitions: Definitions, path: string): Advice | undefined {
  const structure = definitions.structure(path.slice(0, path.indexOf('.')));
  const element = structure?.elements.find((one) => one.path.replace('[x]', '') === path);
  const { strength, valueSet } = element?.binding ?? {};
  if (strength !== 'extensible' || valueSet === undefined) return undefined;
  const isIn = valueSetTest(definitions, valueSet);
  return (value) =>
    isIn(value) === false ? `This should be a code from ${valueSet} unless none of its codes fits.` : undefined;
}

function unitAdvice(value: unknown): string | undefined {
  const { system, code } = value as { system?: unknown; code?: unknown };
  if (system !== UCUM || typeof code !== 'string' || isUcum(code)) return undefined;
  return 'This is not written like a UCUM unit.';
}

function warn(visit: Visit, text: string | undefined, pointer: string): void {
  if (text !== undefined) report(visit, 'warning', 'code-invalid', text, pointer);
}
