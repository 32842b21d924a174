// Names that only filters have: they stand for a repeating element, whose members must fit within one repetition. The
// composite parameters of the type have those members as their components.
// https://hl7.org/fhir/R4/search_filter.html#params
import { type ConditionContext, definitionOf, UnknownParameter } from '../parameter-lookup.ts';
import { parseValue, type ValueContext } from '../parse-values.ts';
import type { Condition, ValueKind, ValueMatch } from '../query.ts';
import type { FilterTest } from './expression.ts';

export interface ElementGroup {
  readonly type: string;
  readonly name: string;
  /** The composite parameter. */
  readonly composite: string;
  /** Its components by the names that filters use, in order. */
  readonly members: readonly string[];
}

const GROUPS: readonly ElementGroup[] = [
  { type: 'Group', name: 'characteristic', composite: 'characteristic-value', members: ['code', 'value'] },
  { type: 'DocumentReference', name: 'relatesTo', composite: 'relationship', members: ['target', 'code'] },
];

export function groupOf(type: string | undefined, name: string): ElementGroup | undefined {
  return GROUPS.find((group) => group.type === type && group.name === name);
}

/**
 * `relatesTo[code eq replaces].target re DocumentReference/1`
 * @throws UnknownParameter | Fault invalid
 */
export function parseGroup(context: ConditionContext, group: ElementGroup, test: FilterTest): Condition {
  const name = `_filter (${group.name})`;
  const [step, last, ...more] = test.path;
  const where = step?.where;
  const first = where?.kind === 'test' && where.path.length === 1 ? where : undefined;
  const given = new Map([
    [first?.path[0]?.name, first],
    [last?.name, test],
  ]);
  if (!first || more.length > 0 || given.size !== 2) {
    const [a, b] = group.members;
    throw new UnknownParameter(name, `is written like ${group.name}[${b} eq x].${a} eq y.`);
  }
  const { components } = definitionOf(context, group.type, group.composite, name);
  const matches = group.members.map((member, position): ValueMatch => {
    const asked = given.get(member);
    const component = components[position];
    const isEqual = asked?.operator === 'eq' || asked?.operator === 're';
    if (!asked || !component || !isEqual) throw new UnknownParameter(name, `takes eq and re on ${member}.`);
    const at: ValueContext = { ...context, name, targets: component.targets };
    return parseValue(component.kind as ValueKind, asked.value, at);
  });
  return { kind: 'composite', components: components.map((component) => component.key), anyOf: [matches] };
}
