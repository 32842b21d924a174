// FHIRPath text -> @medplum/core's syntax tree. Their parser loses what we need of literals (precision of dates, time
// zones), skips trailing text and stumbles on comments, so those parts are replaced here.
import { type Atom, initFhirPathParserBuilder, LiteralAtom, Tokenizer, UnaryOperatorAtom } from '@medplum/core';
import { Fault } from '../../fault.ts';

const KEYWORDS = ['true', 'false'];
const OPERATORS = ['!=', '!~', '<=', '>=', '{}'];
const LONGEST = 20_000;
const UNARY_PRECEDENCE = 3;

const TEMPORAL_LITERAL =
  /@(?:T(?<time>\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?)|(?<date>\d{4}(?:-\d{2}(?:-\d{2})?)?)(?<dateTime>T(?:\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?(?:Z|[+-]\d{2}:\d{2})?)?)?)/y;

/** @throws Fault `invalid` that names the expression when it is not FHIRPath */
export function parse(expression: string): Atom {
  if (expression.length > LONGEST)
    throw refusal(`${expression.slice(0, 80)}…`, `it is longer than ${LONGEST} characters`);
  try {
    assertClosed(expression);
    const parser = grammar(expression).construct(new Tokenizer(expression, KEYWORDS, OPERATORS).tokenize());
    parser.removeComments();
    const atom = parser.consumeAndParse();
    const rest = parser.peek();
    if (rest) throw new Error(`nothing was expected after it, but "${rest.value}" follows (column ${rest.column})`);
    return atom;
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw refusal(expression, reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return 'it is nested too deeply';
  const { message } = error as Error;
  return /^Cant consume/.test(message) ? 'it ends too early' : message;
}

/** The refusal of an expression, naming it. */
export function refusal(expression: string, reason: string): Fault {
  return new Fault('invalid', `The FHIRPath expression "${expression}" cannot be used: ${reason.replace(/\.$/, '')}.`);
}

function grammar(source: string): ReturnType<typeof initFhirPathParserBuilder> {
  return initFhirPathParserBuilder()
    .registerPrefix('DateTime', { parse: (_, token) => temporalLiteral(source, token.index) })
    .registerPrefix('Quantity', { parse: (_, token) => quantityLiteral(token.value) })
    .registerPrefix('{', {
      parse(parser) {
        parser.consume('}');
        return new LiteralAtom({ type: 'empty', value: '{}' });
      },
    })
    .prefix('-', UNARY_PRECEDENCE, (_, right) => new UnaryOperatorAtom('-', right, (items) => items));
}

function temporalLiteral(source: string, index: number): LiteralAtom {
  TEMPORAL_LITERAL.lastIndex = index;
  const groups = TEMPORAL_LITERAL.exec(source)?.groups;
  if (!groups) throw new Error(`there is no date or time after the @ (column ${index + 1})`);
  if (groups.time !== undefined) return new LiteralAtom({ type: 'time', value: groups.time });
  if (groups.dateTime === undefined) return new LiteralAtom({ type: 'date', value: groups.date });
  const time = groups.dateTime === 'T' ? '' : groups.dateTime;
  return new LiteralAtom({ type: 'dateTime', value: `${groups.date}${time}` });
}

/** `4 days` has a calendar unit, `4 'd'` a UCUM one. */
function quantityLiteral(text: string): LiteralAtom {
  const [, number = '', unit = ''] = /^([\d.]+)\s*(.*)$/s.exec(text) ?? [];
  const quoted = /^['"](.*)['"]$/s.exec(unit);
  const quantity = quoted
    ? { value: Number(number), unit: quoted[1], system: 'http://unitsofmeasure.org', code: quoted[1] }
    : { value: Number(number), unit };
  return new LiteralAtom({ type: 'Quantity', value: quantity });
}

/** The tokenizer accepts a string that never ends; we do not. */
function assertClosed(source: string): void {
  const rest = source.replace(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '');
  if (/['"`]|\/\*/.test(rest)) throw new Error('a quotation or comment in it is not closed');
}
