// The syntax tree -> closures, node by node.
import {
  AndAtom,
  type Atom,
  ConcatAtom,
  DotAtom,
  EmptySetAtom,
  FhirPathAtom,
  FunctionAtom,
  ImpliesAtom,
  IndexerAtom,
  InfixOperatorAtom,
  LiteralAtom,
  OrAtom,
  SymbolAtom,
  UnaryOperatorAtom,
  XorAtom,
} from '@medplum/core';
import { Fault } from '../../fault.ts';
import { compileVariable, type Evaluate, refuseTooLarge, single, truth } from './evaluation.ts';
import { COLLECTION_FUNCTIONS } from './functions/collections.ts';
import { CONVERSION_FUNCTIONS } from './functions/conversions.ts';
import { FHIR_FUNCTIONS } from './functions/fhir.ts';
import type { Argument, FunctionTable } from './functions/function-spec.ts';
import { STRING_FUNCTIONS } from './functions/strings.ts';
import { compileField, compileHead } from './navigation.ts';
import { LOGIC, negate, OPERATORS } from './operators.ts';
import { refusal } from './parse.ts';
import { isKindOf, isType } from './type-model.ts';
import { isOfType, isSystemType } from './type-test.ts';
import { booleanOf, type Collection, EMPTY, integerOf, type TypedValue } from './typed-value.ts';

const FUNCTIONS: FunctionTable = {
  ...COLLECTION_FUNCTIONS,
  ...STRING_FUNCTIONS,
  ...CONVERSION_FUNCTIONS,
  ...FHIR_FUNCTIONS,
};

interface Compiled {
  readonly evaluate: Evaluate;
  /** Depends on nothing but the environment, so one run needs it once however many items it goes through. */
  readonly constant: boolean;
}

interface Scope {
  readonly expression: string;
  /** The type of the focus where it is known: at the root. */
  readonly type: string | undefined;
  /** Whether a name may be a type or variable; not after a dot. */
  readonly head: boolean;
  readonly slots: { count: number };
}

/** @returns the closure and the number of memo slots one run of it needs */
export function compileAtom(atom: Atom, expression: string, type: string): { evaluate: Evaluate; slots: number } {
  const slots = { count: 0 };
  const { evaluate } = compile(atom, { expression, type, head: true, slots });
  return { evaluate, slots: slots.count };
}

function compile(atom: Atom, scope: Scope): Compiled {
  if (atom instanceof FhirPathAtom) return compile(atom.child, scope);
  if (atom instanceof SymbolAtom) return compileSymbol(atom.name, scope);
  if (atom instanceof LiteralAtom) return compileLiteral(atom.value as TypedValue);
  if (atom instanceof EmptySetAtom) return { evaluate: () => EMPTY, constant: false };
  if (atom instanceof DotAtom) return compileDot(atom, scope);
  if (atom instanceof FunctionAtom) return compileFunction(atom, scope);
  if (atom instanceof IndexerAtom) return compileIndexer(atom, scope);
  if (atom instanceof UnaryOperatorAtom) {
    const { evaluate } = compile(atom.child, scope);
    if (atom.operator === '+') return { evaluate, constant: false };
    return { evaluate: (frame, focus) => negate(evaluate(frame, focus)), constant: false };
  }
  if (atom instanceof InfixOperatorAtom) return compileInfix(atom, scope);
  throw refusal(scope.expression, 'it contains something that Baton does not know');
}

function compileLiteral(value: TypedValue): Compiled {
  const items: Collection = value.type === 'empty' ? EMPTY : [value];
  return { evaluate: () => items, constant: false };
}

function compileSymbol(name: string, scope: Scope): Compiled {
  if (name === '$this') return { evaluate: (frame) => frame.self, constant: false };
  if (name === '$index') return { evaluate: (frame) => integerOf(frame.index), constant: false };
  if (name === '$total') return { evaluate: (frame) => frame.total, constant: false };
  if (name.startsWith('%')) {
    const read = compileVariable(name.slice(1).replace(/^(['"`])(.*)\1$/, '$2'));
    return { evaluate: (frame) => read(frame.run), constant: true };
  }
  if (name.startsWith('$')) throw refusal(scope.expression, `${name} is not known`);
  if (!scope.head) return { evaluate: compileField(name), constant: false };
  // `Practitioner.name` in an expression for Patients can never find anything.
  if (scope.type && cannotBe(scope.type, name)) return { evaluate: () => EMPTY, constant: false };
  return { evaluate: compileHead(name), constant: false };
}

function cannotBe(type: string, name: string): boolean {
  if (!/^[A-Z]/.test(name) || !isType(name) || !isType(type)) return false;
  return !isKindOf(type, name) && !isKindOf(name, type);
}

function compileDot(atom: DotAtom, scope: Scope): Compiled {
  const left = compile(atom.left, scope);
  const right = compile(atom.right, { ...scope, head: false, type: undefined });
  const step: Evaluate = (frame, focus) => right.evaluate(frame, left.evaluate(frame, focus));
  const constant = left.constant && isPlainStep(atom.right);
  return { evaluate: constant ? memoized(step, scope) : step, constant };
}

/** A field or a function without arguments brings no dependence on `$this`. */
function isPlainStep(atom: Atom): boolean {
  if (atom instanceof FunctionAtom) {
    const typed = atom.name === 'as' || atom.name === 'ofType';
    return typed || (atom.args.length === 0 && atom.name !== 'trace');
  }
  return atom instanceof SymbolAtom && !atom.name.startsWith('$');
}

/** Computed at most once per run. */
function memoized(evaluate: Evaluate, scope: Scope): Evaluate {
  const slot = scope.slots.count++;
  return (frame, focus) => {
    const { memo } = frame.run;
    const known = memo[slot];
    if (known) return known;
    const items = evaluate(frame, focus);
    memo[slot] = items;
    return items;
  };
}

function compileIndexer(atom: IndexerAtom, scope: Scope): Compiled {
  const left = compile(atom.left, scope).evaluate;
  const index = compile(atom.expr, { ...scope, head: true, type: undefined }).evaluate;
  const evaluate: Evaluate = (frame, focus) => {
    const at = single(index(frame, frame.self), 'an index')?.value;
    const item = typeof at === 'number' ? left(frame, focus)[at] : undefined;
    return item ? [item] : EMPTY;
  };
  return { evaluate, constant: false };
}

function compileInfix(atom: InfixOperatorAtom, scope: Scope): Compiled {
  const { operator } = atom;
  const left = compile(atom.left, scope);
  if (operator === 'is' || operator === 'as') {
    const name = typeName(atom.right, scope);
    if (operator === 'as')
      return { evaluate: (f, focus) => left.evaluate(f, focus).filter((i) => isOfType(i, name)), constant: false };
    const evaluate: Evaluate = (frame, focus) => {
      const item = single(left.evaluate(frame, focus), 'is');
      return item ? booleanOf(isOfType(item, name)) : EMPTY;
    };
    return { evaluate, constant: false };
  }
  const right = compile(atom.right, scope);
  const logic = logicOf(atom);
  if (logic) {
    const evaluate: Evaluate = (frame, focus) => {
      const value = logic(truth(left.evaluate(frame, focus), operator), () =>
        truth(right.evaluate(frame, focus), operator),
      );
      return value === undefined ? EMPTY : booleanOf(value);
    };
    return { evaluate, constant: false };
  }
  const apply = atom instanceof ConcatAtom ? OPERATORS['&'] : OPERATORS[operator];
  if (!apply) throw refusal(scope.expression, `the operator ${operator} is not known`);
  const evaluate: Evaluate = (frame, focus) =>
    refuseTooLarge(apply(left.evaluate(frame, focus), right.evaluate(frame, focus), frame));
  const constant = left.constant && right.constant;
  return { evaluate: constant ? memoized(evaluate, scope) : evaluate, constant };
}

function logicOf(atom: InfixOperatorAtom): (typeof LOGIC)[string] | undefined {
  if (atom instanceof AndAtom) return LOGIC.and;
  if (atom instanceof OrAtom) return LOGIC.or;
  if (atom instanceof XorAtom) return LOGIC.xor;
  return atom instanceof ImpliesAtom ? LOGIC.implies : undefined;
}

function compileFunction(atom: FunctionAtom, scope: Scope): Compiled {
  const spec = Object.hasOwn(FUNCTIONS, atom.name) ? FUNCTIONS[atom.name] : undefined;
  if (!spec) throw refusal(scope.expression, `there is no function ${atom.name}()`);
  const [fewest, most] = spec.arity;
  if (atom.args.length < fewest || atom.args.length > most) {
    const wanted = fewest === most ? `${fewest}` : `${fewest} to ${most}`;
    throw refusal(scope.expression, `${atom.name}() takes ${wanted} arguments, not ${atom.args.length}`);
  }
  try {
    const work = spec.compile(atom.args.map((arg) => argument(arg, scope)));
    return {
      evaluate: GROWING.has(atom.name) ? (frame, focus) => refuseTooLarge(work(frame, focus)) : work,
      constant: false,
    };
  } catch (error) {
    if (error instanceof Fault && !error.message.includes(scope.expression))
      throw refusal(scope.expression, error.message);
    throw error;
  }
}

/** Functions whose result can be larger than what they are given. */
const GROWING = new Set(['combine', 'union', 'toChars', 'split', 'join', 'replace', 'replaceMatches', 'resolve']);

function argument(atom: Atom, scope: Scope): Argument {
  const literal = atom instanceof LiteralAtom && atom.value.type === 'string' ? String(atom.value.value) : undefined;
  return {
    evaluate: () => compile(atom, { ...scope, head: true, type: undefined }).evaluate,
    typeName: () => typeName(atom, scope),
    literal,
  };
}

function typeName(atom: Atom, scope: Scope): string {
  const parts = atom instanceof DotAtom ? [atom.left, atom.right] : [atom];
  const names = parts.map((part) => (part instanceof SymbolAtom ? part.name : undefined));
  const name = names.at(-1);
  const namespaced = names.length === 1 || names[0] === 'FHIR' || names[0] === 'System';
  if (!name || !namespaced) throw refusal(scope.expression, 'a type name is needed after is, as and ofType');
  if (!isType(name) && !isSystemType(name)) throw refusal(scope.expression, `${name} is not a type of FHIR R4`);
  return name;
}
