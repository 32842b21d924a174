// `:above` and `:below` of references: through the hierarchy of what they refer to, and through versions of canonicals.
// https://hl7.org/fhir/R4/search.html#recursive and #versions
import { partOfParameter } from './hierarchy.ts';
import { type ConditionContext, keyOf, targetsOf, UnknownParameter } from './parameter-lookup.ts';
import type { ParameterDefinition } from './parameters.ts';
import { malformed, parseValue } from './parse-values.ts';
import type { Condition } from './query.ts';

/** @throws UnknownParameter when nothing that the parameter refers to forms a hierarchy | Fault invalid */
export function parseWithin(
  context: ConditionContext,
  definition: ParameterDefinition,
  name: string,
  direction: 'above' | 'below',
  text: string,
): Condition {
  const match = parseValue('reference', text, { ...context, name, targets: targetsOf(context, definition) });
  if (match.kind !== 'reference') throw malformed({ name }, `"${text}"`, 'It is a reference.');
  const parameter = keyOf(definition);
  if (match.types[0] === '') {
    if (direction === 'above') throw new UnknownParameter(name, 'does not take the modifier :above with a URL.');
    return { kind: 'match', parameter, anyOf: [{ ...match, mode: 'below' }], negated: false };
  }
  const of = match.types.flatMap((type): Condition[] => {
    const partOf = partOfParameter(context.parameters, type);
    return partOf ? [{ kind: 'hierarchy', parameter, direction, type, id: match.id, partOf }] : [];
  });
  const [only] = of;
  if (!only)
    throw new UnknownParameter(name, `does not take the modifier :${direction}: what it names is part of nothing.`);
  return of.length === 1 ? only : { kind: 'any', of };
}
