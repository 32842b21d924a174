// Parameters with a meaning of their own: full text, lists, positions and filters.
import { parseFilter } from './filter/parse.ts';
import { parseNear } from './near.ts';
import { type ConditionContext, UnknownParameter } from './parameter-lookup.ts';
import { LIST_MEMBER } from './parameters.ts';
import { alternatives, malformed, unescaped } from './parse-values.ts';
import type { Condition } from './query.ts';
import { isSpecial } from './special.ts';
import { parseTextQuery } from './text-query.ts';

/** Known to R4 and refused here, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  _query: 'is refused: there are no named queries here.',
  _contained: 'is refused: contained resources are found through the resource that contains them.',
  _containedType: 'is refused: matches are never contained resources here.',
};

/**
 * @param type absent for a search over all types
 * @param depth of the chain that it stands in
 * @returns undefined when the parameter is an ordinary one
 * @throws UnknownParameter | Fault invalid
 */
export function parseSpecial(
  context: ConditionContext,
  type: string | undefined,
  name: string,
  value: string,
  depth: number,
): Condition | undefined {
  const [code = '', modifier] = name.split(':');
  const refusal = REFUSED[code];
  if (refusal !== undefined) throw new UnknownParameter(name, refusal);
  if (!isSpecial(type, code)) return undefined;
  if (modifier !== undefined) throw new UnknownParameter(name, `does not take the modifier :${modifier}.`);
  switch (code) {
    case '_text':
      return parseTextQuery(name, value, 'narrative');
    case '_content':
      return parseTextQuery(name, value, 'content');
    case '_list':
      return parseList(name, value);
    case 'near':
      return parseNear(name, value);
    default:
      return parseFilter(context, type, value, depth);
  }
}

/** What the list names and does not mark as deleted. https://hl7.org/fhir/R4/search.html#list */
function parseList(name: string, value: string): Condition {
  const ids = alternatives(value, name).map((text) => unescaped(text).replace(/^List\//, ''));
  if (ids.some((id) => id.startsWith('$'))) {
    throw new UnknownParameter(name, 'names a functional list; only lists that are stored as List are known here.');
  }
  if (!ids.every((id) => /^[A-Za-z0-9\-.]{1,64}$/.test(id)))
    throw malformed({ name }, 'no id', 'Give the id of a List.');
  const condition: Condition = { kind: 'id', ids, negated: false };
  return { kind: 'has', type: 'List', parameter: LIST_MEMBER, condition, named: [] };
}
