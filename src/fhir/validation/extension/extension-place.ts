// Where an extension is, in the words in which definitions say where it may be.
import { fieldOfProperty } from '../../fhirpath/type-model.ts';
import type { TypedValue } from '../../fhirpath/typed-value.ts';
import type { Visit } from '../visit.ts';

export interface ExtensionSurroundings {
  /** The element that has the extension. */
  readonly holder: TypedValue;
  /** That element as a path from each type around it: `Patient.contact.name`, `HumanName`. */
  readonly paths: readonly { readonly type: string; readonly below: string }[];
}

/** @param pointer JSON pointer of the extension: `/name/0/_family/extension/0` */
export function surroundingsOf({ type, resource }: Visit, pointer: string): ExtensionSurroundings {
  const keys = pointer.split('/').slice(1, -2);
  const steps: { type: string; name: string }[] = [{ type, name: '' }];
  let value: unknown = resource;
  let plain: unknown = resource;
  for (const key of keys) {
    const twin = key.startsWith('_') ? key.slice(1) : key;
    plain = (plain as Record<string, unknown> | undefined)?.[twin];
    value = (value as Record<string, unknown> | undefined)?.[key];
    if (/^\d+$/.test(key)) continue;
    const field = fieldOfProperty(steps.at(-1)?.type ?? '', key);
    steps.push({ type: field?.type ?? '', name: field?.name ?? twin });
    if (!key.startsWith('_')) plain = value;
  }
  const last = steps.at(-1)?.type ?? type;
  const isCompanion = value !== plain;
  return {
    holder: isCompanion ? { type: last, value: plain, element: (value ?? {}) as object } : { type: last, value },
    paths: steps.map((step, index) => ({
      type: step.type,
      below: steps
        .slice(index + 1)
        .map(({ name }) => name)
        .join('.'),
    })),
  };
}
