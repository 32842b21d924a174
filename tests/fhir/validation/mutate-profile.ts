// Mistakes against the profiles that a resource claims.
import type { ElementDefinition } from '@medplum/fhirtypes';
import type { Definitions } from '../../../src/fhir/definitions.ts';
import { type Keys, type Mutant, type Node, spoilt } from './mutate.ts';

export function* profileMutants(resource: object, definitions: Definitions): Generator<Mutant> {
  const { meta } = resource as { meta?: { profile?: string[] } };
  for (const url of meta?.profile ?? []) {
    for (const element of definitions.structure(url)?.elements ?? [])
      yield* elementMutants(element, resource, definitions);
  }
}

function* elementMutants(element: ElementDefinition, root: object, definitions: Definitions): Generator<Mutant> {
  const { id = '', path, min = 0 } = element;
  const [, ...names] = path.split('.');
  const name = names.pop();
  const slices = id.match(/:/g)?.length ?? 0;
  if (name === undefined || name.endsWith('[x]') || slices > 1) return;
  const isSlice = element.sliceName !== undefined;
  if (slices === 1 && !isSlice) return;
  for (const { node, keys, at } of placesOf(root, names)) {
    const value = node[name];
    if (value === undefined) continue;
    const mutant = (kind: string, expression: string, act: (copy: Node) => void): Mutant => ({
      kind,
      expression,
      make: () => spoilt(root, keys, act),
    });
    if (isSlice)
      yield* sliceMutants(element, { name, value, at, alone: Object.keys(node).length === 1 }, mutant, definitions);
    else if (min > 0 && Object.keys(node).length > 1) {
      yield mutant('profile: required element dropped', `${at}.${name}`, (copy) => {
        delete copy[name];
        delete copy[`_${name}`];
      });
    }
    const other = isSlice ? undefined : otherThan(element);
    if (other !== undefined && value !== undefined) {
      const isList = Array.isArray(value);
      yield mutant('profile: wrong fixed or pattern value', isList ? `${at}.${name}[0]` : `${at}.${name}`, (copy) => {
        if (isList) (copy[name] as unknown[])[0] = other;
        else copy[name] = other;
      });
    }
  }
}

function* sliceMutants(
  { min = 0, max, type }: ElementDefinition,
  { name, value, at, alone }: { name: string; value: unknown; at: string; alone: boolean },
  mutant: (kind: string, expression: string, act: (copy: Node) => void) => Mutant,
  definitions: Definitions,
): Generator<Mutant> {
  if (!Array.isArray(value)) return;
  if (min > 0 && !alone) {
    yield mutant('profile: slice removed', `${at}.${name}`, (copy) => {
      delete copy[name];
    });
  }
  const url = type?.[0]?.code === 'Extension' ? type[0].profile?.[0]?.replace(/\|.*$/, '') : undefined;
  const index = url === undefined ? -1 : value.findIndex((one) => (one as Node).url === url);
  if (index < 0 || !url || !definitions.structure(url)) return;
  if (max === '1') {
    yield mutant('profile: too many of a slice', `${at}.${name}[${value.length}]`, (copy) => {
      (copy[name] as unknown[]).push(withoutIds(value[index]));
    });
  }
  const simple = Object.keys(value[index] as Node).find((key) => key.startsWith('value'));
  if (simple && simple !== 'valueBase64Binary') {
    yield mutant('profile: extension with another type', `${at}.${name}[${index}].value`, (copy) => {
      (copy[name] as Node[])[index] = { url, valueBase64Binary: 'AAAA' };
    });
  }
}

/** A copy without element ids, which may not occur twice. */
function withoutIds(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, inner) => (key === 'id' ? undefined : inner)));
}

/** Something that breaks the fixed or pattern value of an element and nothing else. */
function otherThan(element: ElementDefinition): unknown {
  const [key, value] = Object.entries(element).find(([name]) => /^(fixed|pattern)[A-Z]/.test(name)) ?? [];
  if (key === undefined) return undefined;
  if (/CodeableConcept$/.test(key)) return { text: 'other' };
  if (/Coding$/.test(key)) return { system: 'http://other.example', code: 'other' };
  if (typeof value === 'string' && /(Uri|String)$/.test(key)) return 'urn:other';
  return undefined;
}

/** The objects at a path, through lists. */
function placesOf(root: object, names: readonly string[]): { node: Node; keys: Keys; at: string }[] {
  const { resourceType } = root as { resourceType: string };
  let places = [{ node: root as Node, keys: [] as Keys, at: resourceType }];
  for (const name of names) {
    places = places.flatMap(({ node, keys, at }) => {
      const value = node[name];
      if (Array.isArray(value)) {
        return value.map((item, index) => ({
          node: item as Node,
          keys: [...keys, name, index],
          at: `${at}.${name}[${index}]`,
        }));
      }
      return typeof value === 'object' && value !== null
        ? [{ node: value as Node, keys: [...keys, name], at: `${at}.${name}` }]
        : [];
    });
  }
  return places;
}
