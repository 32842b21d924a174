// The value of `_text` and `_content`: words, "phrases", and, or, not, parentheses. Words next to each other must all
// occur. `and` binds closer than `or`.
// https://hl7.org/fhir/R4/search.html#content
import { Fault } from '../../fault.ts';
import { wordsOf } from './full-text.ts';
import { malformed } from './parse-values.ts';
import type { Condition } from './query.ts';

type Within = Extract<Condition, { kind: 'words' }>['within'];

const TOKEN = /\s*(?:(\()|(\))|"([^"]*)"|([^\s()"]+))/y;
/** More words than this in one search are refused rather than looked up. */
const MAX_TERMS = 50;
const MAX_DEPTH = 20;

type Token = { readonly is: '(' | ')' | 'and' | 'or' | 'not' } | { readonly is: 'text'; readonly words: string[] };

/** @throws Fault invalid */
export function parseTextQuery(name: string, text: string, within: Within): Condition {
  const reader = new TextQueryReader(name, tokensOf(name, text), within);
  return reader.whole();
}

function tokensOf(name: string, text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < end; ) {
    const match = TOKEN.exec(text);
    if (!match) throw wrong(name, 'a quotation mark is not closed');
    const [, open, close, phrase, word] = match;
    const operator = /^(and|or|not)$/i.exec(word ?? '')?.[1]?.toLowerCase();
    if (open) tokens.push({ is: '(' });
    else if (close) tokens.push({ is: ')' });
    else if (operator) tokens.push({ is: operator as 'and' | 'or' | 'not' });
    else tokens.push({ is: 'text', words: wordsOf(phrase ?? word ?? '') });
  }
  if (tokens.filter(({ is }) => is === 'text').length > MAX_TERMS) {
    throw new Fault('invalid', `${name} has more than ${MAX_TERMS} words.`, { code: 'too-costly' });
  }
  return tokens;
}

class TextQueryReader {
  readonly #name: string;
  readonly #tokens: readonly Token[];
  readonly #within: Within;
  #at = 0;
  #depth = 0;

  constructor(name: string, tokens: readonly Token[], within: Within) {
    this.#name = name;
    this.#tokens = tokens;
    this.#within = within;
  }

  whole(): Condition {
    const condition = this.#either();
    if (this.#at < this.#tokens.length) throw wrong(this.#name, 'a parenthesis is closed that was not opened');
    return condition;
  }

  #either(): Condition {
    const of = [this.#all()];
    while (this.#take('or')) of.push(this.#all());
    return of.length === 1 && of[0] ? of[0] : { kind: 'any', of };
  }

  #all(): Condition {
    const of = [this.#one()];
    for (;;) {
      const next = this.#tokens[this.#at]?.is;
      if (next === undefined || next === 'or' || next === ')') break;
      this.#take('and');
      of.push(this.#one());
    }
    return of.length === 1 && of[0] ? of[0] : { kind: 'all', of };
  }

  #one(): Condition {
    if (this.#take('not')) return { kind: 'not', of: this.#nested(() => this.#one()) };
    if (this.#take('(')) {
      const inner = this.#nested(() => this.#either());
      if (!this.#take(')')) throw wrong(this.#name, 'a parenthesis is not closed');
      return inner;
    }
    const token = this.#tokens[this.#at++];
    if (token?.is !== 'text') throw wrong(this.#name, 'a word is missing');
    if (token.words.length === 0) throw wrong(this.#name, 'a term has no letters or digits');
    return { kind: 'words', within: this.#within, words: token.words };
  }

  #nested(read: () => Condition): Condition {
    if (++this.#depth > MAX_DEPTH) throw new Fault('invalid', `${this.#name} nests too deep.`, { code: 'too-costly' });
    const condition = read();
    this.#depth--;
    return condition;
  }

  #take(is: Token['is']): boolean {
    if (this.#tokens[this.#at]?.is !== is) return false;
    this.#at++;
    return true;
  }
}

function wrong(name: string, what: string): Fault {
  return malformed({ name }, `a text query in which ${what}`, 'Write words, "phrases", and, or, not, and parentheses.');
}
