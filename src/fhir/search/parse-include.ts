// `_include` and `_revinclude`. https://hl7.org/fhir/R4/search.html#include
import { type ConditionContext, definitionOf, isTarget, UnknownParameter } from './parameter-lookup.ts';
import type { Include } from './query.ts';

/**
 * @param types that are searched; none when all are
 * @throws UnknownParameter, also when the include could never bring anything along
 */
export function parseInclude(
  context: ConditionContext,
  types: readonly string[],
  name: string,
  modifier: string | undefined,
  value: string,
): Include {
  if (modifier !== undefined && modifier !== 'iterate' && modifier !== 'recurse') {
    throw new UnknownParameter(name, `does not take the modifier :${modifier}.`);
  }
  const direction = name.startsWith('_include') ? 'include' : 'revinclude';
  const iterate = modifier !== undefined;
  if (value === '*') return { direction, iterate };
  const [source = '', code, target, ...more] = value.split(':');
  const unknown = (why: string) => new UnknownParameter(`${name}=${value}`, why);
  if (code === undefined || more.length > 0) {
    throw unknown('is not written like Type:reference or Type:reference:Target.');
  }
  if (!context.parameters.types.includes(source)) throw unknown(`names the unknown type ${source}.`);
  // What is included may be followed further, so the searched types say nothing about `:iterate`.
  const known = iterate ? [] : types;
  if (direction === 'include' && known.length > 0 && !known.includes(source)) {
    throw unknown(`starts at ${source}, which is not searched; with :iterate it starts at what was included.`);
  }
  if (target !== undefined && !context.parameters.types.includes(target))
    throw unknown(`names the unknown type ${target}.`);
  if (direction === 'revinclude' && target !== undefined && known.length > 0 && !known.includes(target)) {
    throw unknown(`asks for what refers to ${target}, which is not searched.`);
  }
  const limit = target === undefined ? {} : { target };
  if (code === '*') return { direction, iterate, source, ...limit };
  const definition = definitionOf(context, source, code, `${name}=${value}`);
  if (definition.kind !== 'reference') throw unknown('is not a reference.');
  if (target !== undefined && !isTarget(context, definition, target)) throw unknown(`cannot refer to ${target}.`);
  if (direction === 'revinclude' && known.length > 0 && !known.some((type) => isTarget(context, definition, type))) {
    throw unknown(`cannot refer to ${known.join(' or ')}.`);
  }
  return { direction, iterate, source, code, ...limit };
}
