// Whether an extension may be where it is. https://hl7.org/fhir/R4/defining-extensions.html#context
import type { StructureDefinitionContext } from '@medplum/fhirtypes';
import { Fault } from '../../../fault.ts';
import type { Structure } from '../../base-structures.ts';
import { compileExpression, compileRule } from '../../fhirpath/compile.ts';
import { isKindOf, isType } from '../../fhirpath/type-model.ts';
import type { Visit } from '../visit.ts';
import type { ExtensionSurroundings } from './extension-place.ts';

type Test = (place: ExtensionSurroundings, visit: Visit) => boolean;

const compiled = new WeakMap<Structure, Test>();

/** An expression that cannot be evaluated forbids nothing. */
export function isAllowedAt(structure: Structure, place: ExtensionSurroundings, visit: Visit): boolean {
  const known = compiled.get(structure);
  const test = known ?? compile(structure);
  if (!known) compiled.set(structure, test);
  try {
    return test(place, visit);
  } catch (error) {
    if (error instanceof Fault) return true;
    throw error;
  }
}

function compile({ context = [], contextInvariant = [] }: Structure): Test {
  const places = context.map(placeTest);
  const rules = contextInvariant.map((expression): Test => {
    let holds: ReturnType<typeof compileRule> | undefined;
    return ({ holder }, { environment }) => {
      holds ??= compileRule(expression, holder.type);
      return holds(holder, environment);
    };
  });
  return (place, visit) =>
    (places.length === 0 || places.some((test) => test(place, visit))) && rules.every((test) => test(place, visit));
}

function placeTest({ type, expression = '' }: StructureDefinitionContext): Test {
  if (type === 'extension') {
    return ({ holder }) => (holder.value as { url?: unknown } | undefined)?.url === expression;
  }
  if (type === 'fhirpath') {
    let find: ReturnType<typeof compileExpression> | undefined;
    return ({ holder }, { resource, type: root, environment }) => {
      find ??= compileExpression(expression, 'Resource');
      const found = find({ type: root, value: resource }, environment);
      return found.some(({ value, element }) => value === holder.value || (element && element === holder.element));
    };
  }
  return elementTest(expression.replaceAll('[x]', ''));
}

/** `Element`, `Patient`, `HumanName.family`, `Patient.contact.name`; a type also means what specializes it. */
function elementTest(expression: string): Test {
  const dot = expression.indexOf('.');
  const type = dot < 0 ? expression : expression.slice(0, dot);
  if (type === 'Element' || !isType(type)) return () => true; // anywhere, or a type that R4 does not have
  return ({ holder, paths }) => {
    if (isKindOf(holder.type, expression)) return true;
    return paths.some((one) => {
      const path = one.below === '' ? one.type : `${one.type}.${one.below}`;
      if (path === expression) return true;
      return dot > 0 && isKindOf(one.type, type) && one.below === expression.slice(dot + 1);
    });
  };
}
