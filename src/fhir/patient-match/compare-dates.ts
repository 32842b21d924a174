// How far two birth dates agree, with the ways in which people mistype them. Pure.
import { editDistance } from './normal-form.ts';
import type { Degree } from './rules.ts';

/** @param a FHIR date: `2004`, `2004-05` or `2004-05-31` */
export function compareDates(a: string, b: string): Degree {
  if (a === b) return 'equal';
  if (a.length !== b.length) return a.startsWith(b) || b.startsWith(a) ? 'partial' : 'different';
  const [yearA = '', monthA, dayA] = a.split('-');
  const [yearB = '', monthB, dayB] = b.split('-');
  if (dayA === undefined) return 'different';
  if (yearA === yearB && monthA === dayB && dayA === monthB) return 'transposed';
  const digits = [`${yearA}${monthA}${dayA}`, `${yearB}${monthB}${dayB}`] as const;
  const wrong = [...digits[0]].filter((digit, index) => digit !== digits[1][index]).length;
  if (wrong === 2 && editDistance(...digits) === 1) return 'transposed';
  return wrong === 1 || daysApart(a, b) === 1 ? 'near' : 'different';
}

function daysApart(a: string, b: string): number | undefined {
  try {
    return Math.abs(Temporal.PlainDate.from(a).until(b).days);
  } catch {
    return undefined;
  }
}
