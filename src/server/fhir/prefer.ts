// The Prefer header: what a write answers with, and whether unknown search parameters are refused.
// https://hl7.org/fhir/R4/http.html#ops and https://hl7.org/fhir/R4/search.html#errors
import { Fault } from '../../fault.ts';

export interface Prefer {
  readonly return?: 'minimal' | 'representation' | 'OperationOutcome';
  /** Strict unless asked otherwise: a filter that is silently dropped would show more patients than were asked for. */
  readonly handling: 'strict' | 'lenient';
}

const RETURN = ['minimal', 'representation', 'OperationOutcome'] as const;
const HANDLING = ['strict', 'lenient'] as const;

/**
 * Preferences that FHIR does not define are ignored, as RFC 7240 asks.
 * @throws Fault invalid for an unknown value of `return` or `handling`
 */
export function parsePrefer(header: string | readonly string[] | undefined): Prefer {
  if (header === undefined) return { handling: 'strict' };
  const given = new Map<string, string>();
  for (const part of [header].flat().join(',').split(/[,;]/)) {
    const [name = '', value = ''] = part.split('=').map((side) => side.trim().replace(/^"(.*)"$/, '$1'));
    if (!given.has(name.toLowerCase())) given.set(name.toLowerCase(), value);
  }
  const wanted = oneOf(given, 'return', RETURN);
  return { handling: oneOf(given, 'handling', HANDLING) ?? 'strict', ...(wanted ? { return: wanted } : {}) };
}

function oneOf<T extends string>(given: Map<string, string>, name: string, allowed: readonly T[]): T | undefined {
  const value = given.get(name);
  if (value === undefined) return undefined;
  const known = allowed.find((candidate) => candidate === value);
  if (known) return known;
  throw new Fault('invalid', `Prefer: ${name} must be ${allowed.join(', ')}.`, { code: 'value' });
}
