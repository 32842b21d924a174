// What the reading of a Bundle is given, and how it says what is wrong.
import { Fault } from '../fault.ts';

export interface BundleRules {
  /** FHIR base URL; entry URLs may be absolute below it. */
  readonly baseUrl: string;
  readonly isType: (type: string) => boolean;
  readonly maxEntries: number;
}

export type Json = Readonly<Record<string, unknown>>;

export type WrongCode = 'required' | 'value' | 'structure' | 'not-supported' | 'duplicate';

export function wrong(message: string, expression: string, code: WrongCode): Fault {
  return new Fault('invalid', message, { expression, code });
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
