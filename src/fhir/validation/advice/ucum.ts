// The syntax of UCUM units: terms of atoms with exponents, multiplied and divided, with annotations. Which atoms exist is
// not looked at. https://ucum.org/ucum#section-Syntax-Rules

const TERM = /(?:10[*^][+-]?\d+|\d+|(?:[A-Za-z%'"_*^]|\[[!-Z\\^-z|~]+\])+(?:[+-]?\d+)?)?(?:\{[!-z|~]*\})?/y;

/** Takes time in proportion to the length. */
export function isUcum(code: string): boolean {
  let depth = 0;
  let wantsTerm = true;
  for (let at = code.startsWith('/') ? 1 : 0; at < code.length; ) {
    const sign = code.charAt(at);
    if (wantsTerm && sign === '(') {
      depth++;
      at++;
    } else if (wantsTerm) {
      TERM.lastIndex = at;
      const [term = ''] = TERM.exec(code) ?? [];
      if (term === '') return false;
      at += term.length;
      wantsTerm = false;
    } else if (sign === ')') {
      if (--depth < 0) return false;
      at++;
    } else if (sign === '.' || sign === '/') {
      wantsTerm = true;
      at++;
    } else {
      return false;
    }
  }
  return depth === 0 && !wantsTerm;
}
