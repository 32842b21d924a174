// FHIRPath functions over whole collections: existence, filtering, subsetting, combining.
// https://hl7.org/fhirpath/N1/#functions
import { keyOf } from '../equality.ts';
import { type Evaluate, refuseTooMany, single, truth } from '../evaluation.ts';
import { children, descendants } from '../navigation.ts';
import { distinct } from '../operators.ts';
import { booleanOf, type Collection, EMPTY, integerOf, TRUE, type TypedValue } from '../typed-value.ts';
import { type FunctionSpec, type FunctionTable, forEach, plain, withValues } from './function-spec.ts';

export const COLLECTION_FUNCTIONS: FunctionTable = {
  empty: plain((focus) => booleanOf(focus.length === 0)),
  count: plain((focus) => integerOf(focus.length)),
  not: plain((focus) => {
    const value = truth(focus, 'not()');
    return value === undefined ? EMPTY : booleanOf(!value);
  }),
  exists: {
    arity: [0, 1],
    compile([criteria]) {
      if (!criteria) return (_frame, focus) => booleanOf(focus.length > 0);
      return some(criteria.evaluate(), true);
    },
  },
  all: {
    arity: [1, 1],
    compile: ([criteria]) => every(criteria?.evaluate() as Evaluate),
  },
  any: { arity: [1, 1], compile: ([criteria]) => some(criteria?.evaluate() as Evaluate, true) },
  allTrue: plain((focus) => booleanOf(focus.every(({ value }) => value === true))),
  anyTrue: plain((focus) => booleanOf(focus.some(({ value }) => value === true))),
  allFalse: plain((focus) => booleanOf(focus.every(({ value }) => value === false))),
  anyFalse: plain((focus) => booleanOf(focus.some(({ value }) => value === false))),
  subsetOf: withValues(1, 1, (focus, [other = EMPTY]) => booleanOf(isSubset(focus, other))),
  supersetOf: withValues(1, 1, (focus, [other = EMPTY]) => booleanOf(isSubset(other, focus))),
  distinct: plain(distinct),
  isDistinct: plain((focus) => booleanOf(distinct(focus).length === focus.length)),

  where: {
    arity: [1, 1],
    compile([criteria]) {
      const part = criteria?.evaluate() as Evaluate;
      return (frame, focus) => {
        const kept: TypedValue[] = [];
        forEach(frame, focus, part, (result, item) => {
          if (truth(result, 'where()') === true) kept.push(item);
          return false;
        });
        return kept;
      };
    },
  },
  select: {
    arity: [1, 1],
    compile([projection]) {
      const part = projection?.evaluate() as Evaluate;
      return (frame, focus) => {
        const found: TypedValue[] = [];
        forEach(frame, focus, part, (result) => {
          for (const item of result) found.push(item);
          refuseTooMany(found.length);
          return false;
        });
        return found;
      };
    },
  },
  repeat: { arity: [1, 1], compile: ([projection]) => repeated(projection?.evaluate() as Evaluate) },
  aggregate: {
    arity: [1, 2],
    compile([step, start]) {
      const part = step?.evaluate() as Evaluate;
      const first = start?.evaluate();
      return (frame, focus) => {
        let total = first?.(frame, frame.self) ?? EMPTY;
        focus.forEach((item, index) => {
          const self = [item];
          total = part({ run: frame.run, self, index, total }, self);
        });
        return total;
      };
    },
  },

  first: plain((focus) => focus.slice(0, 1)),
  last: plain((focus) => focus.slice(-1)),
  tail: plain((focus) => focus.slice(1)),
  single: plain((focus) => (single(focus, 'single()') ? focus : EMPTY)),
  skip: sliced((focus, count) => focus.slice(Math.max(count, 0))),
  take: sliced((focus, count) => focus.slice(0, Math.max(count, 0))),
  intersect: withValues(1, 1, (focus, [other = EMPTY]) => {
    const keys = new Set(other.map(keyOf));
    return distinct(focus.filter((item) => keys.has(keyOf(item))));
  }),
  exclude: withValues(1, 1, (focus, [other = EMPTY]) => {
    const keys = new Set(other.map(keyOf));
    return focus.filter((item) => !keys.has(keyOf(item)));
  }),
  union: withValues(1, 1, (focus, [other = EMPTY]) => distinct([...focus, ...other])),
  combine: withValues(1, 1, (focus, [other = EMPTY]) => [...focus, ...other]),
  children: { arity: [0, 0], compile: () => children },
  descendants: { arity: [0, 0], compile: () => descendants },
};

function some(part: Evaluate, wanted: boolean): Evaluate {
  return (frame, focus) => {
    let found = false;
    forEach(frame, focus, part, (result) => {
      found = truth(result, 'the criteria') === wanted;
      return found;
    });
    return booleanOf(found);
  };
}

function every(part: Evaluate): Evaluate {
  return (frame, focus) => {
    let holds: Collection = TRUE;
    forEach(frame, focus, part, (result) => {
      if (truth(result, 'all()') !== true) holds = booleanOf(false);
      return holds !== TRUE;
    });
    return holds;
  };
}

function repeated(part: Evaluate): Evaluate {
  return (frame, focus) => {
    const found: TypedValue[] = [];
    const seen = new Set<unknown>();
    for (let level = focus; level.length > 0; ) {
      const next: TypedValue[] = [];
      forEach(frame, level, part, (result) => {
        for (const item of result) {
          const identity = typeof item.value === 'object' && item.value !== null ? item.value : keyOf(item);
          if (!seen.has(identity)) {
            seen.add(identity);
            next.push(item);
          }
        }
        return false;
      });
      for (const item of next) found.push(item);
      refuseTooMany(found.length);
      level = next;
    }
    return found;
  };
}

function sliced(take: (focus: Collection, count: number) => Collection): FunctionSpec {
  return withValues(1, 1, (focus, [count = EMPTY]) => {
    const value = single(count, 'a number of items')?.value;
    return typeof value === 'number' ? take(focus, value) : EMPTY;
  });
}

function isSubset(part: Collection, whole: Collection): boolean {
  const keys = new Set(whole.map(keyOf));
  return part.every((item) => keys.has(keyOf(item)));
}
