// Which slice a value belongs to. https://hl7.org/fhir/R4/profiling.html#discriminator
import type { ElementDefinitionSlicingDiscriminator } from '@medplum/fhirtypes';
import type { Definitions } from '../../definitions.ts';
import { compileExpression } from '../../fhirpath/compile.ts';
import { isKindOf, typeCode } from '../../fhirpath/type-model.ts';
import type { TypedValue } from '../../fhirpath/typed-value.ts';
import { valueSetTest } from '../codes.ts';
import type { Visit } from '../visit.ts';
import { type Expected, expectedValue, isExpected } from './fixed-value.ts';
import type { Surroundings } from './place.ts';
import { type ProfileNode, profileTree } from './profile-tree.ts';

/** Undefined when it cannot be told, e.g. because a value set is not installed. */
export type SliceTest = (item: TypedValue, visit: Visit) => boolean | undefined;

/** @returns a test that all discriminators agree on */
export function sliceTest(
  slice: ProfileNode,
  discriminators: readonly ElementDefinitionSlicingDiscriminator[],
  type: string,
  around: Surroundings,
): SliceTest {
  const tests = discriminators.map((one) => discriminate(slice, one, type, around));
  return (item, visit) => {
    const answers = tests.map((test) => test(item, visit));
    if (answers.includes(false)) return false;
    return answers.includes(undefined) ? undefined : true;
  };
}

function discriminate(
  slice: ProfileNode,
  { type: kind, path }: ElementDefinitionSlicingDiscriminator,
  type: string,
  { definitions, conforms }: Surroundings,
): SliceTest {
  const read = compileExpression(path, type);
  const steps = stepsOf(path);
  if (kind === 'value' || kind === 'pattern') {
    const test = valueTest(slice, steps, definitions);
    return (item, visit) => any(read(item, visit.environment).map(test));
  }
  const node = follow(slice, steps, definitions);
  if (kind === 'exists') {
    const wanted = node?.element.max !== '0';
    return (item, visit) => read(item, visit.environment).length > 0 === wanted;
  }
  const types = node?.element.type ?? [];
  const isTarget = path.endsWith('resolve()');
  const profiles = types.flatMap(({ profile, targetProfile }) => (isTarget ? targetProfile : profile) ?? []);
  if (kind === 'profile') {
    return (item, visit) =>
      any(read(item, visit.environment).map((one) => any(profiles.map((url) => conforms(url, one, visit)))));
  }
  // A target whose profile is not installed may be of any type.
  const names = isTarget
    ? profiles.map((url) => definitions.structure(url)?.type)
    : types.map((one) => typeCode(one, node?.element.path ?? ''));
  return (item, visit) => any(read(item, visit.environment).map((one) => isOneOf(one, names)));
}

function isOneOf({ type }: TypedValue, names: readonly (string | undefined)[]): boolean | undefined {
  return any(names.map((name) => (name === undefined ? undefined : isKindOf(type, name))));
}

/** What the slice says about the value at the discriminator's path: fixed, pattern, or a required binding. */
function valueTest(slice: ProfileNode, steps: readonly string[], definitions: Definitions): ValueTest {
  for (let length = 0; length <= steps.length; length++) {
    const node = follow(slice, steps.slice(0, length), definitions);
    const expected = node && expectedValue(node.element);
    if (expected) return withinExpected(expected, steps.slice(length));
  }
  const node = follow(slice, steps, definitions);
  const nested = node?.slices.map(({ element }) => expectedValue(element)).filter((one) => one !== undefined);
  if (nested?.length) return ({ value }) => nested.some((one) => isExpected(value, one));
  const { valueSet, strength } = node?.element.binding ?? {};
  if (valueSet === undefined || strength !== 'required') return () => undefined;
  const isIn = valueSetTest(definitions, valueSet);
  return ({ value }) => isIn(value);
}

type ValueTest = (item: TypedValue) => boolean | undefined;

function any(answers: readonly (boolean | undefined)[]): boolean | undefined {
  if (answers.includes(true)) return true;
  return answers.includes(undefined) ? undefined : false;
}

/** A pattern above the discriminator's path decides about what lies below it. */
function withinExpected(expected: Expected, steps: readonly string[]): ValueTest {
  if (steps.length === 0) return ({ value }) => isExpected(value, expected);
  const parts = compileExpression(steps.join('.'), expected.type)(expected);
  return ({ value }) => parts.some((part) => isExpected(value, { ...part, exact: expected.exact }));
}

/** The element of the slice at a path, looked for in the profiles of its types where the slice itself ends. */
function follow(node: ProfileNode, steps: readonly string[], definitions: Definitions): ProfileNode | undefined {
  let at: ProfileNode | undefined = node;
  for (const step of steps) {
    if (step === 'resolve()' || step.startsWith('ofType(')) continue;
    const url: string | undefined = /^extension\(['"](.*)['"]\)$/.exec(step)?.[1];
    const next: ProfileNode | undefined = childNamed(at, url === undefined ? step : 'extension', definitions);
    at = url === undefined ? next : next?.slices.find(({ element }) => element.type?.[0]?.profile?.includes(url));
    if (!at) return undefined;
  }
  return at;
}

function childNamed(node: ProfileNode, name: string, definitions: Definitions): ProfileNode | undefined {
  const own = node.children.find((child) => child.name === name);
  if (own) return own;
  for (const { profile, code } of node.element.type ?? []) {
    for (const url of profile ?? [code]) {
      const structure = definitions.structure(url);
      const found = structure && profileTree(structure).children.find((child) => child.name === name);
      if (found) return found;
    }
  }
  return undefined;
}

/** `extension('http://a.b/c').value` -> two steps; `$this` -> none. */
function stepsOf(path: string): string[] {
  const steps = path.match(/[^.(]+(?:\([^)]*\))?/g) ?? [];
  return steps.filter((step) => step !== '$this');
}
