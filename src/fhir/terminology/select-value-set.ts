// A ValueSet's definition as a selection: union of its includes, less its excludes.
// https://hl7.org/fhir/R4/valueset.html#compositions
import type { ValueSet, ValueSetComposeInclude } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { activeOnly } from './active-only.ts';
import { toCanonical } from './canonical.ts';
import { combine, intersect } from './combine.ts';
import type { Gap } from './gap.ts';
import type { Library } from './library.ts';
import { selectExpansion } from './select-expansion.ts';
import { type SystemPart, selectSystem } from './select-system.ts';
import { NOTHING, type Selection } from './selection.ts';

/** Includes, excludes and nested value sets of one evaluation. */
const MAX_PARTS = 5_000;
const MAX_DEPTH = 50;
/** Codes listed and questions asked of parts; about half a second of work. */
const MAX_STEPS = 2_000_000;

/** @throws Fault unprocessable (`too-costly`) for a definition that goes on and on */
export function selectValueSet(library: Library, valueSet: ValueSet): Selection {
  return createSelector(library).select(valueSet);
}

function createSelector(library: Library) {
  const known = new Map<ValueSet, Selection>();
  const path: ValueSet[] = [];
  /** Depth of the outermost value set that a cycle led back to; what is made within the cycle is not the whole of it. */
  let cycleFrom = Number.POSITIVE_INFINITY;
  let parts = 0;
  let steps = 0;

  /** Value sets that name each other again and again multiply: a page of text can ask for years of work. */
  function spend(): void {
    if (++steps > MAX_STEPS) throw tooCostly('Working out the value set takes too long; it has too many parts.');
  }

  function select(valueSet: ValueSet): Selection {
    const found = known.get(valueSet);
    if (found) return found;
    const depth = path.indexOf(valueSet);
    if (depth >= 0) {
      cycleFrom = Math.min(cycleFrom, depth);
      return NOTHING; // a value set that includes itself adds nothing
    }
    if (path.length >= MAX_DEPTH) throw tooCostly(`Value sets are nested more than ${MAX_DEPTH} deep.`);
    path.push(valueSet);
    const selection = define(valueSet);
    path.pop();
    if (cycleFrom >= path.length) {
      known.set(valueSet, selection);
      cycleFrom = Number.POSITIVE_INFINITY;
    }
    return selection;
  }

  function define(valueSet: ValueSet): Selection {
    const { compose, expansion } = valueSet;
    if (!compose) return expansion ? selectExpansion(valueSet) : NOTHING;
    const includes = (compose.include ?? []).map(selectInclude);
    const excludes = (compose.exclude ?? []).map(selectInclude);
    const defined = combine(includes, excludes, spend);
    const selection = compose.inactive === false ? activeOnly(defined) : defined;
    // An expansion that came along knows what code systems that are not here would say.
    return expansion && selection.gaps.length > 0 ? selectExpansion(valueSet) : selection;
  }

  function selectInclude(include: ValueSetComposeInclude): Selection {
    if (++parts > MAX_PARTS) throw tooCostly(`The definition has more than ${MAX_PARTS} parts.`);
    const { system, valueSet: canonicals = [] } = include;
    const ofSystem = system === undefined ? [] : [selectSystem(library, include as SystemPart)];
    return intersect([...ofSystem, ...canonicals.map(selectNested)], spend);
  }

  function selectNested(canonical: string): Selection {
    const nested = library.valueSet(toCanonical(canonical));
    if (nested) return select(nested);
    const gap: Gap = { why: 'unknown', text: `The value set ${canonical} is not here.`, partial: false };
    return { has: () => undefined, members: () => [], gaps: [gap] };
  }

  return { select };
}

function tooCostly(text: string): Fault {
  return new Fault('unprocessable', text, { code: 'too-costly' });
}
