// `minValue[x]` and `maxValue[x]` of an element. https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.minValue_x_
import type { ElementDefinition } from '@medplum/fhirtypes';
import { inCommonUnit, quantityOf } from '../../fhirpath/quantity.ts';
import { compareMoments, momentOf } from '../../fhirpath/temporal.ts';
import type { TypedValue } from '../../fhirpath/typed-value.ts';
import { shown } from '../issue.ts';

/** The reason why a value is out of range; values that cannot be compared with a limit are not. */
export type RangeCheck = (item: TypedValue) => string | undefined;

export function valueRange(element: ElementDefinition): RangeCheck | undefined {
  const least = limitOf(element, 'minValue');
  const most = limitOf(element, 'maxValue');
  if (least === undefined && most === undefined) return undefined;
  return ({ value }) => {
    if (least !== undefined && below(value, least)) return `This must be at least ${shown(least)}.`;
    if (most !== undefined && below(most, value)) return `This must be at most ${shown(most)}.`;
    return undefined;
  };
}

function limitOf(element: ElementDefinition, prefix: string): unknown {
  return Object.entries(element).find(([key]) => key.startsWith(prefix))?.[1];
}

function below(left: unknown, right: unknown): boolean {
  if (typeof left === 'number' && typeof right === 'number') return left < right;
  if (typeof left === 'string' && typeof right === 'string') {
    const [a, b] = [momentOf(left), momentOf(right)];
    return a !== undefined && b !== undefined && (compareMoments(a, b) ?? 0) < 0;
  }
  const [a, b] = [quantityOf(left), quantityOf(right)];
  const values = a && b && inCommonUnit(a, b);
  return values !== undefined && values[0] < values[1];
}
