// FHIRPath functions that FHIR adds, type tests, the clock and trace. https://hl7.org/fhir/R4/fhirpath.html#functions
import { Fault } from '../../../fault.ts';
import { type Evaluate, type Frame, single, truth } from '../evaluation.ts';
import { narrativeProblem } from '../narrative.ts';
import { extensionsOf } from '../navigation.ts';
import { resolveReference } from '../resolve.ts';
import { isOfType } from '../type-test.ts';
import { booleanOf, type Collection, EMPTY, numberOf, type TypedValue } from '../typed-value.ts';
import { type Argument, type FunctionSpec, type FunctionTable, ofOne, plain, withValues } from './function-spec.ts';

export const FHIR_FUNCTIONS: FunctionTable = {
  is: typed((name) => (_frame, focus) => {
    const item = single(focus, 'is()');
    return item ? booleanOf(isOfType(item, name)) : EMPTY;
  }),
  as: typed((name) => (_frame, focus) => focus.filter((item) => isOfType(item, name))),
  ofType: typed((name) => (_frame, focus) => focus.filter((item) => isOfType(item, name))),
  type: plain((focus) => focus.map(({ type }) => ({ type: 'object', value: { namespace: 'FHIR', name: type } }))),

  extension: withValues(1, 1, (focus, [url = EMPTY]) => extensionsWith(focus, url)),
  hasExtension: withValues(1, 1, (focus, [url = EMPTY]) => booleanOf(extensionsWith(focus, url).length > 0)),
  hasValue: plain((focus) => booleanOf(focus.length === 1 && isScalar(focus[0]?.value))),
  getValue: plain((focus) => focus.filter(({ value }) => isScalar(value)).map(({ type, value }) => ({ type, value }))),
  resolve: plain((focus, frame) => focus.flatMap((item) => resolveReference(item, frame.run) ?? [])),
  htmlChecks: ofOne('htmlChecks', ({ value }) => booleanOf(typeof value === 'string' && !narrativeProblem(value))),
  conformsTo: asked((item, profile, { run }) => {
    const base = /^http:\/\/hl7\.org\/fhir\/StructureDefinition\/([A-Z]\w*)$/.exec(profile)?.[1];
    return run.env.conformsTo?.(item, profile) ?? (base === undefined ? undefined : isOfType(item, base));
  }),
  memberOf: asked((item, valueSet, { run }) => run.env.memberOf?.(item, valueSet)),
  // The points of an answer in a form. https://hl7.org/fhir/uv/sdc/expressions.html
  weight: plain(weightsOf),
  ordinal: plain(weightsOf),

  // Everything that `iif` does not choose stays unevaluated. Its arguments are about the input, or `$this` without one.
  iif: {
    arity: [2, 3],
    compile([criterion, then, otherwise]) {
      const parts = [criterion, then, otherwise].map((arg) => arg?.evaluate());
      return (frame, focus) => {
        const inner = focus.length === 1 ? { ...frame, self: focus } : frame;
        const chosen = truth(parts[0]?.(inner, focus) ?? EMPTY, 'iif()') === true ? parts[1] : parts[2];
        return chosen?.(inner, focus) ?? EMPTY;
      };
    },
  },
  // Tracing would put content into logs, so it only passes its input through.
  trace: { arity: [1, 2], compile: () => (_frame, focus) => focus },

  now: plain((_focus, frame) => [{ type: 'dateTime', value: localNow(frame).toString({ timeZoneName: 'never' }) }]),
  today: plain((_focus, frame) => [{ type: 'date', value: localNow(frame).toPlainDate().toString() }]),
  timeOfDay: plain((_focus, frame) => [{ type: 'time', value: localNow(frame).toPlainTime().toString() }]),
};

function weightsOf(focus: Collection, { run }: Frame): Collection {
  return focus.flatMap((item) => {
    const weight = run.env.weightOf?.(item);
    return weight === undefined ? [] : numberOf(weight);
  });
}

function typed(compile: (name: string) => Evaluate): FunctionSpec {
  return { arity: [1, 1], compile: ([type]) => compile((type as Argument).typeName()) };
}

function asked(answer: (item: TypedValue, url: string, frame: Frame) => boolean | undefined): FunctionSpec {
  return withValues(1, 1, (focus, [argument = EMPTY], frame) => {
    const item = single(focus, 'a question about a value set or profile');
    const url = single(argument, 'a canonical URL')?.value;
    const known = item && typeof url === 'string' ? answer(item, url, frame) : undefined;
    return known === undefined ? EMPTY : booleanOf(known);
  });
}

function extensionsWith(focus: Collection, urls: Collection): Collection {
  const url = single(urls, 'extension()')?.value;
  return focus.flatMap(extensionsOf).filter(({ value }) => (value as { url?: unknown }).url === url);
}

function isScalar(value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== 'object';
}

function localNow({ run }: Frame): Temporal.ZonedDateTime {
  if (!run.env.now)
    throw new Fault('fault', 'FHIRPath: now() and today() need the time to be given in the environment.');
  return run.env.now.round('millisecond').toZonedDateTimeISO(run.env.zone ?? 'UTC');
}
