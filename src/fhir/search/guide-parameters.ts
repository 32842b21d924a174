// Which search parameters of installed guides become searchable. Guides restate many of R4's own (US Core does for all
// that it asks for); those stay what R4 says. What is new is added; what cannot be searched is named with the reason.
import type { SearchParameter } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { compilePath } from '../fhirpath/compile.ts';
import { branchesFor, splitResolve } from './expression.ts';
import type { SearchParameters } from './parameters.ts';
import { settlePath } from './settle-path.ts';
import { isSpecial } from './special.ts';

/** A parameter that is not used on a type, with the sentence that says why. */
export interface UnusedParameter {
  readonly url: string;
  /** `Goal.description` */
  readonly name: string;
  readonly why: string;
}

export interface GuideParameters {
  /** Each with the types on which it is new. */
  readonly added: readonly SearchParameter[];
  readonly unused: readonly UnusedParameter[];
}

/**
 * @param offered the guides' parameters; of two with one code on one type the first is taken
 * @param known R4's parameters and Baton's own
 */
export function chooseGuideParameters(offered: readonly SearchParameter[], known: SearchParameters): GuideParameters {
  const added: SearchParameter[] = [];
  const unused: UnusedParameter[] = [];
  const kinds = new Map<string, string>();
  for (const parameter of offered) {
    const types = listOf(parameter.base).filter((type) => {
      const name = `${type}.${parameter.code}`;
      const kind = kinds.get(name) ?? known.get(type, parameter.code ?? '')?.kind;
      const why = kind === undefined ? whyUnsupported(parameter, type, known) : whyConflicting(parameter, kind);
      if (why !== undefined) unused.push({ url: parameter.url, name, why });
      if (kind !== undefined || why !== undefined) return false;
      kinds.set(name, parameter.type);
      return true;
    });
    if (types.length > 0)
      added.push({ ...parameter, expression: settled(parameter), base: types as typeof parameter.base });
  }
  return { added, unused };
}

function whyConflicting({ type }: SearchParameter, kind: string): string | undefined {
  return type === kind ? undefined : `it is of type ${type}, but a parameter of that name and of type ${kind} is there`;
}

function whyUnsupported(parameter: SearchParameter, type: string, known: SearchParameters): string | undefined {
  const { code, expression, type: kind } = parameter;
  if (typeof code !== 'string' || !/^[A-Za-z_][\w-]*$/.test(code)) return 'its code cannot be used in a URL';
  if (code.startsWith('_') || isSpecial(type, code)) return 'its code means something else in R4';
  if (!known.types.includes(type)) return `${type} is not a resource type of R4`;
  if (!expression) return 'it has no FHIRPath expression';
  if (CLOCK.test(expression)) return 'what it finds changes with the time, and an index does not';
  if (kind === 'special' || kind === 'composite') return `parameters of type ${kind} are not taken from guides`;
  return whyNotCompiled(expression, type);
}

const CLOCK = /\b(now|today|timeOfDay)\(\)/;

function whyNotCompiled(expression: string, type: string): string | undefined {
  try {
    const branches = branchesFor(expression, type);
    if (branches.length === 0) return `its expression says nothing about ${type}`;
    for (const branch of branches) {
      const settled = settlePath(splitResolve(branch).path, type);
      if ('why' in settled) return `its expression finds nothing: ${settled.why}`;
      compilePath(settled.path, type);
    }
    return undefined;
  } catch (error) {
    return `its expression is not supported: ${error instanceof Fault ? error.message : 'it is not FHIRPath'}`;
  }
}

/** The expression as FHIRPath has it; types that it is not for keep their branches. */
function settled({ expression = '' }: SearchParameter): string {
  return branchesFor(expression, undefined)
    .map((branch) => {
      const { path, resolvesTo } = splitResolve(branch);
      const found = settlePath(path, 'Resource');
      if ('why' in found || found.path === path) return branch;
      return resolvesTo === undefined ? found.path : `${found.path}.where(resolve() is ${resolvesTo})`;
    })
    .join(' | ');
}

const listOf = (base: SearchParameter['base'] | undefined): readonly string[] => (Array.isArray(base) ? base : []);
