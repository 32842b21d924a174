// `:in`, `:not-in`, `:above` and `:below` of codes: the codes that they stand for.
// https://hl7.org/fhir/R4/search.html#modifiers
import { Fault } from '../../fault.ts';
import { type ConditionContext, UnknownParameter } from './parameter-lookup.ts';
import { parseToken, unescaped } from './parse-values.ts';
import type { TokenMatch } from './query.ts';

export type TokenSetModifier = 'in' | 'not-in' | 'above' | 'below';

/** More codes than this are refused rather than looked up. */
const MAX_CODES = 20_000;

/** @throws UnknownParameter without terminology | Fault invalid */
export function tokensFor(
  { tokenSets }: ConditionContext,
  name: string,
  modifier: TokenSetModifier,
  text: string,
): TokenMatch[] {
  if (!tokenSets) throw new UnknownParameter(name, `does not take the modifier :${modifier}.`);
  const members = modifier === 'in' || modifier === 'not-in' ? tokenSets.inValueSet(unescaped(text)) : related();
  if (!members) {
    const what = modifier === 'in' || modifier === 'not-in' ? 'value set' : 'code or code system';
    throw new Fault('invalid', `${name} names a ${what} that is not installed here, or whose codes cannot be listed.`, {
      code: 'not-supported',
    });
  }
  if (members.length > MAX_CODES) {
    throw new Fault('invalid', `${name} stands for ${members.length} codes; at most ${MAX_CODES} are looked up.`, {
      code: 'too-costly',
    });
  }
  return members.map(({ system, code }) => ({ kind: 'token', system, code }));

  function related() {
    const { system, code } = parseToken(text, { name });
    return code === undefined ? undefined : tokenSets?.[modifier as 'above' | 'below'](system, code);
  }
}
