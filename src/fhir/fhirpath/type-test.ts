// `is`, `as` and `ofType`: whether an item has a type. FHIR.boolean and System.Boolean count as the same, as the
// invariants of R4 assume (`answer is Boolean`).
import { isKindOf } from './type-model.ts';
import { isPrimitive, type TypedValue } from './typed-value.ts';

const SYSTEM: Readonly<Record<string, string>> = {
  Boolean: 'boolean',
  String: 'string',
  Integer: 'integer',
  Decimal: 'decimal',
  Date: 'date',
  DateTime: 'dateTime',
  Time: 'time',
};

/** Whether FHIRPath itself defines the type. */
export function isSystemType(name: string): boolean {
  return Object.hasOwn(SYSTEM, name);
}

export function isOfType({ type, value }: TypedValue, name: string): boolean {
  if (isKindOf(type, name)) return true;
  if (!Object.hasOwn(SYSTEM, name)) return false;
  if (name === 'String')
    return isPrimitive(type) && typeof value === 'string' && type !== 'date' && type !== 'dateTime';
  return isKindOf(type, SYSTEM[name] as string) || (name === 'DateTime' && type === 'instant');
}
