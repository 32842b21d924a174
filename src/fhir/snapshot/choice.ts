// Elements of several types, `value[x]`. https://hl7.org/fhir/R4/formats.html#choice
import type { ElementDefinitionType } from '@medplum/fhirtypes';
import type { Draft } from './draft.ts';

/** Whether `valueQuantity` may name this element (`value[x]`, which may be a Quantity in the base). */
export function namesType({ name, element, origin }: Draft, wanted: string): boolean {
  return find(name, element.type, wanted) !== undefined || find(name, origin?.element.type, wanted) !== undefined;
}

/** The type that `valueQuantity` stands for, as this element has it. */
export function typeNamed({ name, element, origin }: Draft, wanted: string): ElementDefinitionType | undefined {
  return find(name, element.type, wanted) ?? find(name, origin?.element.type, wanted);
}

/** One type that must be there, where only one may be, leaves no other: the element is limited to it and required. */
export function limitToRequired(draft: Draft): void {
  const [slice, ...others] = draft.slices;
  const { min = 0, type } = slice?.element ?? {};
  if (others.length === 0 && min > 0 && type) draft.element = { ...draft.element, type, min };
}

/** Slices by type that have every type of the element between them leave nothing open. */
export function closeWhenCovered(draft: Draft): void {
  const { slices, element } = draft;
  const { slicing } = element;
  if (!draft.name.endsWith('[x]') || !slicing || slices.length === 0) return;
  const sliced = new Set(slices.flatMap((slice) => slice.element.type?.map(({ code }) => code) ?? []));
  if (!slicing.discriminator?.every(({ type, path }) => type === 'type' && path === '$this')) return;
  if (element.type?.every(({ code }) => sliced.has(code))) {
    draft.element = { ...element, slicing: { ...slicing, rules: 'closed' } };
  }
}

function find(
  name: string,
  types: readonly ElementDefinitionType[] | undefined,
  wanted: string,
): ElementDefinitionType | undefined {
  const stem = name.replace(/\[x\]$/, '');
  if (stem === name || !wanted.startsWith(stem)) return undefined;
  const suffix = wanted.slice(stem.length);
  return types?.find(({ code }) => code.charAt(0).toUpperCase() + code.slice(1) === suffix);
}
