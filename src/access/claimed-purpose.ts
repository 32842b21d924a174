// Why somebody asks, as their token says it: codes of v3-PurposeOfUse in a claim of their own, or the way IHE writes them.
// https://profiles.ihe.net/ITI/IUA/index.html
import type { Claims } from './claims.ts';
import { memberOf } from './strict-json.ts';

const MOST = 10;
const CODE = /^[A-Za-z0-9_.-]{1,64}$/;

/** @returns codes such as `TREAT`, each once; what is no code is left out */
export function purposesIn(claims: Claims): readonly string[] {
  const ihe = memberOf(memberOf(claims.extensions, 'ihe_iua') ?? claims.ihe_iua, 'purpose_of_use');
  const given = [claims.purpose_of_use, claims.purpose, ihe].flat(1).slice(0, 10 * MOST);
  const codes = given.map(codeOf).filter((code) => code !== undefined);
  return [...new Set(codes)].slice(0, MOST);
}

/** A code, `system|code`, or a Coding. */
function codeOf(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value.split('|').at(-1) : memberOf(value, 'code');
  return typeof text === 'string' && CODE.test(text) ? text : undefined;
}
