// One element of a profile, with its children and slices, compiled to a check. What the profile only repeats of the base
// type has been checked with that, so most elements of a snapshot come to nothing here.
import type { ElementDefinition, ElementDefinitionType } from '@medplum/fhirtypes';
import type { Structure } from '../../base-structures.ts';
import { isKindOf, typeCode } from '../../fhirpath/type-model.ts';
import { bindingCheck, maxValueSetOf } from '../codes.ts';
import { applyRule } from '../keywords.ts';
import { targetTypes, wrongTarget } from '../reference-targets.ts';
import { compileRules } from '../rules.ts';
import { report, type Visit } from '../visit.ts';
import { containedTargetCheck } from './contained-target.ts';
import { expectation, expectedValue, isExpected } from './fixed-value.ts';
import { childPlaces, type NodeCheck, type Place, type Surroundings } from './place.ts';
import type { ProfileNode } from './profile-tree.ts';
import { compileSlices } from './slices.ts';
import { valueRange } from './value-range.ts';

/** The check of one value against a node: its own conditions, then its children. */
export function compileNode(node: ProfileNode, structure: Structure, around: Surroundings): NodeCheck {
  const checks = checksOf(node, structure, around);
  return (place, visit) => {
    for (const check of checks) check(place, visit);
  };
}

function checksOf(node: ProfileNode, structure: Structure, around: Surroundings): NodeCheck[] {
  const base = baseOf(node, structure, around);
  return [
    ...valueChecks(node, base, around),
    ...typeChecks(node, base, around),
    ...ruleChecks(node, base, structure, around),
    ...node.children.flatMap((child) => compileChild(child, structure, around) ?? []),
  ];
}

/** The element of the base type that the profile's is about; absent below the types that elements have. */
function baseOf({ element }: ProfileNode, { type }: Structure, { definitions }: Surroundings) {
  return definitions.structure(type)?.elements.find(({ path }) => path === element.path);
}

/** The check of a child element: how many there are, each of them, and its slices. Undefined when it says nothing new. */
function compileChild(node: ProfileNode, structure: Structure, around: Surroundings): NodeCheck | undefined {
  const checks = checksOf(node, structure, around);
  const slices = compileSlices(node, structure, around, compileNode);
  const min = node.element.min ?? 0;
  const max = mostOf(node.element);
  const base = baseOf(node, structure, around);
  const guaranteed = base?.min ?? 0;
  const counts = min > guaranteed || max < (base ? mostOf(base) : Number.POSITIVE_INFINITY);
  if (checks.length === 0 && !slices && !counts) return undefined;
  return (parent, visit) => {
    const places = childPlaces(parent, node.name);
    const at = places[0]?.pointer ?? `${parent.pointer}/${node.name}`;
    if (places.length < min && guaranteed < min) {
      const text =
        min === 1 ? `${node.name} is required by the profile.` : `The profile requires ${min} of ${node.name}.`;
      report(visit, 'error', 'required', text, at);
    }
    if (places.length > max) {
      const text =
        max === 0 ? `The profile does not allow ${node.name}.` : `The profile allows at most ${max} of ${node.name}.`;
      report(visit, 'error', 'structure', text, at);
    }
    for (const place of places) for (const check of checks) check(place, visit);
    slices?.(places, parent, visit);
  };
}

function mostOf({ max }: ElementDefinition): number {
  return max === '*' || max === undefined ? Number.POSITIVE_INFINITY : Number(max);
}

function valueChecks(
  { element }: ProfileNode,
  base: ElementDefinition | undefined,
  { definitions }: Surroundings,
): NodeCheck[] {
  const checks: NodeCheck[] = [];
  const expected = expectedValue(element);
  if (expected) {
    checks.push(({ item, pointer }, visit) => {
      if (isExpected(item.value, expected)) return;
      report(visit, 'error', 'value', expectation(expected), pointer);
    });
  }
  const { strength, valueSet } = element.binding ?? {};
  const isBound = base?.binding?.strength === 'required' && base.binding.valueSet === valueSet;
  const binding =
    strength === 'required' && valueSet !== undefined && !isBound ? bindingCheck(definitions, valueSet) : undefined;
  if (binding) {
    checks.push(({ item, pointer }, visit) => {
      const reason = binding(item.value);
      if (reason !== undefined) report(visit, 'error', 'code-invalid', reason, pointer);
    });
  }
  const most = maxValueSetOf(element.binding);
  const limit = most === undefined ? undefined : bindingCheck(definitions, most);
  if (limit) {
    checks.push(({ item, pointer }, visit) => {
      const reason = limit(item.value);
      if (reason !== undefined) report(visit, 'error', 'code-invalid', reason, pointer);
    });
  }
  const range = valueRange(element);
  if (range) {
    checks.push(({ item, pointer }, visit) => {
      const reason = range(item);
      if (reason !== undefined) report(visit, 'error', 'value', reason, pointer);
    });
  }
  const { maxLength } = element;
  if (maxLength !== undefined) {
    checks.push(({ item, pointer }, visit) => {
      if (typeof item.value !== 'string' || item.value.length <= maxLength) return;
      report(visit, 'error', 'value', `The profile allows at most ${maxLength} characters here.`, pointer);
    });
  }
  return checks;
}

function typeChecks(
  { element }: ProfileNode,
  base: ElementDefinition | undefined,
  { definitions, checkProfile, conforms }: Surroundings,
): NodeCheck[] {
  const types = (element.type ?? []).map((type) => ({ ...type, name: typeCode(type, element.path) }));
  if (types.length === 0 || !element.path.includes('.')) return [];
  const checks: NodeCheck[] = [];
  const isNarrowed = !base?.type?.every(({ code }) => types.some((type) => type.code === code));
  const isTold =
    element.path.endsWith('[x]') || types.every(({ name }) => /^[A-Z]/.test(name) && name !== 'BackboneElement');
  if (isNarrowed && isTold) {
    checks.push(({ item, pointer }, visit) => {
      if (item.type.includes('.') || types.some(({ name }) => isKindOf(item.type, name))) return;
      const names = types.map(({ name }) => name).join(' or ');
      report(visit, 'error', 'structure', `The profile allows ${names} here, not ${item.type}.`, pointer);
    });
  }
  for (const type of types) {
    if (base?.type?.some((other) => saysNoMore(type, other))) continue;
    const { name, profile, targetProfile } = type;
    if (profile?.length) {
      checks.push((place, visit) => {
        if (place.item.type === name) checkOneOf(profile, place, visit, { definitions, checkProfile, conforms });
      });
    }
    const demanded = targetProfile?.filter((url) => definitions.structure(url)?.derivation === 'constraint') ?? [];
    if (demanded.length > 0 && demanded.length === targetProfile?.length) {
      checks.push(containedTargetCheck(demanded, conforms));
    }
    const targets = targetTypes(targetProfile ?? [], (url) => definitions.structure(url)?.type);
    if (!targets) continue;
    checks.push(({ item, pointer }, visit) => {
      const reason = item.type === 'Reference' ? wrongTarget(item.value, targets, visit.contained) : undefined;
      if (reason !== undefined) report(visit, 'error', 'value', reason, pointer);
    });
  }
  return checks;
}

/** Whether what a type of an element demands is what the same type of the base does, which checks targets and no profiles. */
function saysNoMore(type: ElementDefinitionType, base: ElementDefinitionType): boolean {
  const [targets, others] = [type.targetProfile ?? [], base.targetProfile ?? []];
  return type.code === base.code && !type.profile && targets.join(' ') === others.join(' ');
}

/** With one profile its issues are reported where they are; with several it is enough to conform to one. */
function checkOneOf(profiles: readonly string[], place: Place, visit: Visit, around: Surroundings): void {
  if (profiles.length === 1) {
    around.checkProfile(profiles[0] as string, place, visit);
    return;
  }
  if (profiles.some((url) => around.conforms(url, place.item, visit) !== false)) return;
  report(visit, 'error', 'structure', `This conforms to none of the profiles ${profiles.join(', ')}.`, place.pointer);
}

/** Only the rules that the profile adds; those of the base type have been checked. */
function ruleChecks(
  { element }: ProfileNode,
  base: ElementDefinition | undefined,
  structure: Structure,
  { definitions }: Surroundings,
): NodeCheck[] {
  const types = (element.type ?? []).flatMap(({ code }) => definitions.structure(code)?.elements[0]?.constraint ?? []);
  const known = new Set([...(base?.constraint ?? []), ...types].map(({ key }) => key ?? ''));
  known.add('ext-1');
  const type = element.path.includes('.') ? element.path : structure.type;
  const rules = compileRules(element.constraint, type, known);
  if (rules.length === 0) return [];
  return [
    ({ item, pointer }, visit) => {
      for (const rule of rules) applyRule(rule, item, visit.environment, visit, pointer);
    },
  ];
}
