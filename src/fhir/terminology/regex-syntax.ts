// The syntax of regular expressions that XML Schema, Java and JavaScript agree on, as a tree. What needs backtracking
// (back references, look-around) is refused.
import { Fault } from '../../fault.ts';

export type Tree =
  | { readonly kind: 'one'; readonly accepts: (char: string) => boolean }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence' | 'choice'; readonly of: readonly Tree[] }
  | { readonly kind: 'repeat'; readonly of: Tree; readonly least: number; readonly most: number };

type Accepts = (char: string) => boolean;

const MAX_LENGTH = 500;
const MAX_DEPTH = 50;
const MAX_REPEAT = 1_000;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v' };
const CLASSES: Readonly<Record<string, Accepts>> = {
  d: (char) => /^\p{Nd}$/u.test(char),
  w: (char) => /^\w$/.test(char),
  s: (char) => /^\s$/.test(char),
};

/** @throws Fault invalid */
export function parsePattern(pattern: string): Tree {
  if (pattern.length > MAX_LENGTH) throw refused(`it is longer than ${MAX_LENGTH} characters`);
  const chars = [...pattern];
  let at = 0;
  let depth = 0;

  const choice = (): Tree => {
    if (++depth > MAX_DEPTH) throw refused('its groups are nested too deeply');
    const options = [sequence()];
    while (chars[at] === '|') {
      at++;
      options.push(sequence());
    }
    depth--;
    return options.length === 1 ? (options[0] as Tree) : { kind: 'choice', of: options };
  };

  const sequence = (): Tree => {
    const of: Tree[] = [];
    while (at < chars.length && chars[at] !== '|' && chars[at] !== ')') of.push(repeated(atom()));
    return { kind: 'sequence', of };
  };

  const atom = (): Tree => {
    const char = chars[at++] as string;
    if (char === '(') return group();
    if (char === '[') return { kind: 'one', accepts: charClass() };
    if (char === '.') return { kind: 'one', accepts: (one) => one !== '\n' && one !== '\r' };
    if (char === '^') return { kind: 'start' };
    if (char === '$') return { kind: 'end' };
    if (char === '\\') return { kind: 'one', accepts: escaped() };
    if ('*+?{'.includes(char)) throw refused(`'${char}' has nothing to repeat`);
    return { kind: 'one', accepts: (one) => one === char };
  };

  const group = (): Tree => {
    if (chars[at] === '?') {
      if (chars[at + 1] !== ':') throw refused('look-around and named groups are not offered');
      at += 2;
    }
    const inner = choice();
    if (chars[at++] !== ')') throw refused('a group is not closed');
    return inner;
  };

  const repeated = (of: Tree): Tree => {
    const bounds = quantifier();
    if (!bounds) return of;
    if (chars[at] === '?' || chars[at] === '+') at++; // greed does not change what a whole match accepts
    if (quantifier()) throw refused('a repetition is repeated');
    return { kind: 'repeat', of, ...bounds };
  };

  const quantifier = (): { least: number; most: number } | undefined => {
    const char = chars[at];
    if (char === '*' || char === '+' || char === '?') {
      at++;
      return { least: char === '+' ? 1 : 0, most: char === '?' ? 1 : Number.POSITIVE_INFINITY };
    }
    if (char !== '{') return undefined;
    const found = /^\{(\d+)(,(\d*))?\}/.exec(chars.slice(at, at + 12).join(''));
    if (!found) throw refused("'{' begins no repetition");
    at += found[0].length;
    const least = Number(found[1]);
    const most = found[2] === undefined ? least : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3]);
    if (most < least || least > MAX_REPEAT || (most !== Number.POSITIVE_INFINITY && most > MAX_REPEAT)) {
      throw refused('a repetition has wrong or very large bounds');
    }
    return { least, most };
  };

  const escaped = (): Accepts => {
    const char = chars[at++];
    if (char === undefined) throw refused('it ends in a backslash');
    const known = CLASSES[char.toLowerCase()];
    if (known) return char === char.toLowerCase() ? known : (one) => !known(one);
    const literal = ESCAPES[char] ?? char;
    if (/^[\p{L}\p{N}]$/u.test(literal)) throw refused(`\\${char} is not offered`);
    return (one) => one === literal;
  };

  const charClass = (): Accepts => {
    const negated = chars[at] === '^';
    if (negated) at++;
    const parts: Accepts[] = [];
    for (let first = true; chars[at] !== ']' || first; first = false) {
      if (at >= chars.length) throw refused('a [ is not closed');
      parts.push(classPart());
    }
    at++;
    return (one) => parts.some((accepts) => accepts(one)) !== negated;
  };

  const classPart = (): Accepts => {
    const from = chars[at++] as string;
    if (from === '[') throw refused('a class within a class is not offered');
    if (from === '\\') return escaped();
    if (chars[at] !== '-' || chars[at + 1] === ']' || chars[at + 1] === undefined) return (one) => one === from;
    const to = chars[at + 1] as string;
    at += 2;
    if (to === '\\' || to < from) throw refused('a range in [ ] is the wrong way round');
    return (one) => one.length === to.length && one >= from && one <= to;
  };

  const tree = choice();
  if (at < chars.length) throw refused('a ) closes nothing');
  return tree;
}

function refused(why: string): Fault {
  return new Fault('invalid', `The regular expression cannot be used: ${why}.`, { code: 'value' });
}
