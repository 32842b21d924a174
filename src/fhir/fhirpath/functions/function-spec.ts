// What a FHIRPath function is to the compiler, and the three shapes that most of them have.
import { type Evaluate, type Frame, single } from '../evaluation.ts';
import { type Collection, EMPTY, type TypedValue } from '../typed-value.ts';

/** An argument, compiled only when the function asks: `ofType(Patient)` wants the name, `where(…)` the closure. */
export interface Argument {
  evaluate(): Evaluate;
  /** The argument read as a type, without `FHIR.` or `System.`. @throws Fault when it is not a type name */
  typeName(): string;
  /** The text, when the argument is a string literal. */
  readonly literal: string | undefined;
}

export interface FunctionSpec {
  /** Fewest and most arguments. */
  readonly arity: readonly [number, number];
  /** @throws Fault when the arguments make no sense, at compile time */
  compile(args: readonly Argument[]): Evaluate;
}

export type FunctionTable = Readonly<Record<string, FunctionSpec>>;

/** A function of its input alone. */
export function plain(compute: (focus: Collection, frame: Frame) => Collection): FunctionSpec {
  return { arity: [0, 0], compile: () => (frame, focus) => compute(focus, frame) };
}

/** A function of its input and of arguments that are evaluated once, against `$this`. */
export function withValues(
  fewest: number,
  most: number,
  compute: (focus: Collection, values: readonly Collection[], frame: Frame) => Collection,
): FunctionSpec {
  return {
    arity: [fewest, most],
    compile(args) {
      const parts = args.map((arg) => arg.evaluate());
      return (frame, focus) =>
        compute(
          focus,
          parts.map((part) => part(frame, frame.self)),
          frame,
        );
    },
  };
}

/** A function of one item; empty for none. */
export function ofOne(name: string, compute: (item: TypedValue, frame: Frame) => Collection): FunctionSpec {
  return plain((focus, frame) => {
    const item = single(focus, `${name}()`);
    return item === undefined ? EMPTY : compute(item, frame);
  });
}

/** Runs an argument with `$this` and `$index` set to each item in turn. */
export function forEach(
  frame: Frame,
  focus: Collection,
  part: Evaluate,
  visit: (result: Collection, item: TypedValue, index: number) => boolean | undefined,
): void {
  for (let index = 0; index < focus.length; index++) {
    const item = focus[index] as TypedValue;
    const self = focus.length === 1 ? focus : [item];
    const stop = visit(part({ run: frame.run, self, index, total: frame.total }, self), item, index);
    if (stop) return;
  }
}
