// Reads the text of a `_filter`. "and" and "or" have no precedence: they are evaluated from left to right.
// https://hl7.org/fhir/R4/search_filter.html
import { Fault } from '../../../fault.ts';
import { malformed } from '../parse-values.ts';
import {
  type FilterExpression,
  type FilterOperator,
  type FilterStep,
  type FilterTest,
  OPERATORS,
} from './expression.ts';

const NAME = '_filter';
/** Tests in one filter and parentheses within each other, beyond which it is refused. */
const MAX_TESTS = 100;
const MAX_DEPTH = 20;
const MAX_LENGTH = 20_000;

const SPACE = /\s*/y;
const STEP = /([A-Za-z_][\w-]*)(?::([A-Z][A-Za-z]+))?/y;
const WORD = /[A-Za-z]+/y;
const NOT = /not\s*\(/iy;
const LOGIC = /(and|or)\b/iy;
const STRING = /"(?:[^"\\]|\\.)*"/sy;
const TOKEN = /[^\s)\]]+/y;

/** @throws Fault invalid */
export function readFilter(text: string): FilterExpression {
  if (text.length > MAX_LENGTH) throw tooCostly(`is longer than ${MAX_LENGTH} characters`);
  return new FilterReader(text).whole();
}

class FilterReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #tests = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): FilterExpression {
    const expression = this.#expression();
    if (this.#at < this.#text.length) throw this.#wrong('and, or, or the end');
    return expression;
  }

  #expression(): FilterExpression {
    let left = this.#operand();
    for (;;) {
      const logic = this.#match(LOGIC)?.[1]?.toLowerCase();
      if (logic === undefined) return left;
      left = { kind: logic as 'and' | 'or', left, right: this.#operand() };
    }
  }

  #operand(): FilterExpression {
    if (this.#match(NOT)) return { kind: 'not', of: this.#enclosed(')') };
    if (this.#take('(')) return this.#enclosed(')');
    return this.#test();
  }

  /** What stands between the opening character, which has been read, and `close`. */
  #enclosed(close: string): FilterExpression {
    if (++this.#depth > MAX_DEPTH) throw tooCostly(`nests deeper than ${MAX_DEPTH}`);
    const expression = this.#expression();
    if (!this.#take(close)) throw this.#wrong(close);
    this.#depth--;
    return expression;
  }

  #test(): FilterTest {
    if (++this.#tests > MAX_TESTS) throw tooCostly(`has more than ${MAX_TESTS} tests`);
    const path = this.#path();
    const operator = this.#match(WORD)?.[0].toLowerCase() as FilterOperator;
    if (!OPERATORS.includes(operator)) throw this.#wrong(`one of ${OPERATORS.join(', ')}`);
    return { kind: 'test', path, operator, value: this.#value() };
  }

  #path(): FilterStep[] {
    const steps: FilterStep[] = [];
    do {
      const [, name, type] = this.#match(STEP) ?? [];
      if (name === undefined) throw this.#wrong('the name of a search parameter');
      const where = this.#take('[') ? this.#enclosed(']') : undefined;
      steps.push({ name, ...(type === undefined ? {} : { type }), ...(where ? { where } : {}) });
      if (where && this.#text[this.#at] !== '.') throw this.#wrong('a dot after ]');
    } while (this.#take('.'));
    return steps;
  }

  #value(): string {
    const quoted = this.#match(STRING)?.[0];
    if (quoted !== undefined) return this.#unquoted(quoted);
    const token = this.#text[this.#at] === '"' ? undefined : this.#match(TOKEN)?.[0];
    if (token === undefined) throw this.#wrong('a value');
    return token;
  }

  #unquoted(quoted: string): string {
    try {
      return JSON.parse(quoted) as string;
    } catch {
      throw this.#wrong('a JSON string');
    }
  }

  /** Skips white space, then reads what matches. */
  #match(pattern: RegExp): RegExpExecArray | undefined {
    this.#skip();
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (!match) return undefined;
    this.#at = pattern.lastIndex;
    this.#skip();
    return match;
  }

  #take(character: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    this.#skip();
    return true;
  }

  #skip(): void {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #wrong(expected: string): Fault {
    return malformed({ name: NAME }, `an error at character ${this.#at + 1}`, `Expected there: ${expected}.`);
  }
}

function tooCostly(what: string): Fault {
  return new Fault('invalid', `The search parameter ${NAME} ${what}.`, { code: 'too-costly' });
}
