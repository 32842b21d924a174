// FHIRPath's string functions. https://hl7.org/fhirpath/N1/#string-manipulation

import { Fault } from '../../../fault.ts';
import { type Evaluate, single } from '../evaluation.ts';
import { booleanOf, type Collection, EMPTY, integerOf, stringOf } from '../typed-value.ts';
import { type Argument, type FunctionSpec, type FunctionTable, withValues } from './function-spec.ts';

export const STRING_FUNCTIONS: FunctionTable = {
  startsWith: ofText(1, 1, (text, [prefix]) => withText(prefix, (value) => booleanOf(text.startsWith(value)))),
  endsWith: ofText(1, 1, (text, [suffix]) => withText(suffix, (value) => booleanOf(text.endsWith(value)))),
  contains: ofText(1, 1, (text, [part]) => withText(part, (value) => booleanOf(text.includes(value)))),
  indexOf: ofText(1, 1, (text, [part]) => withText(part, (value) => integerOf(text.indexOf(value)))),
  length: ofText(0, 0, (text) => integerOf(text.length)),
  upper: ofText(0, 0, (text) => stringOf(text.toUpperCase())),
  lower: ofText(0, 0, (text) => stringOf(text.toLowerCase())),
  trim: ofText(0, 0, (text) => stringOf(text.trim())),
  toChars: ofText(0, 0, (text) => [...text].flatMap(stringOf)),
  split: ofText(1, 1, (text, [separator]) => withText(separator, (value) => text.split(value).flatMap(stringOf))),
  join: withValues(0, 1, (focus, [separator = EMPTY]) => {
    const by = textOf(separator) ?? '';
    return focus.length === 0 ? EMPTY : stringOf(focus.map(({ value }) => String(value)).join(by));
  }),
  substring: ofText(1, 2, (text, [start, length]) => {
    if (typeof start !== 'number' || start < 0 || start >= text.length) return EMPTY;
    return stringOf(text.slice(start, typeof length === 'number' ? start + Math.max(length, 0) : undefined));
  }),
  replace: ofText(2, 2, (text, [pattern, substitute]) =>
    withText(pattern, (from) => withText(substitute, (to) => stringOf(text.replaceAll(from, () => to)))),
  ),
  matches: ofPattern(1, (text, pattern) => booleanOf(pattern.test(text))),
  matchesFull: ofPattern(1, (text, pattern) =>
    booleanOf(new RegExp(`^(?:${pattern.source})$`, pattern.flags).test(text)),
  ),
  replaceMatches: ofPattern(2, (text, pattern, substitute) =>
    withText(substitute, (to) => stringOf(text.replace(new RegExp(pattern.source, `${pattern.flags}g`), to))),
  ),
};

function textOf(items: Collection): string | undefined {
  const value = single(items, 'a string function')?.value;
  return typeof value === 'string' ? value : undefined;
}

function withText(value: unknown, compute: (text: string) => Collection): Collection {
  return typeof value === 'string' ? compute(value) : EMPTY;
}

function ofText(
  fewest: number,
  most: number,
  compute: (text: string, values: readonly unknown[]) => Collection,
): FunctionSpec {
  return withValues(fewest, most, (focus, values) => {
    const text = textOf(focus);
    if (text === undefined) return EMPTY;
    return compute(
      text,
      values.map((value) => single(value, 'a string function')?.value),
    );
  });
}

/** The first argument is a regular expression; a literal one is compiled, and refused when wrong, now. */
function ofPattern(
  arity: number,
  compute: (text: string, pattern: RegExp, substitute: unknown) => Collection,
): FunctionSpec {
  return {
    arity: [arity, arity],
    compile([first, second]) {
      const { literal, evaluate } = first as Argument;
      const fixed = literal === undefined ? undefined : regularExpression(literal);
      const given = fixed ? undefined : evaluate.call(first);
      const substitute: Evaluate | undefined = second?.evaluate();
      return (frame, focus) => {
        const text = textOf(focus);
        const source = given && textOf(given(frame, frame.self));
        const pattern = fixed ?? (source === undefined ? undefined : regularExpression(source));
        if (text === undefined || !pattern) return EMPTY;
        return compute(text, pattern, substitute && single(substitute(frame, frame.self), 'replaceMatches()')?.value);
      };
    },
  };
}

/** Patterns in FHIR are written for several dialects; the strict Unicode reading is tried before the lenient one. */
function regularExpression(source: string): RegExp {
  try {
    return new RegExp(source, 'su');
  } catch {
    return lenientExpression(source);
  }
}

function lenientExpression(source: string): RegExp {
  try {
    return new RegExp(source, 's');
  } catch (cause) {
    throw new Fault('invalid', `FHIRPath: '${source}' is not a regular expression.`, { cause });
  }
}
