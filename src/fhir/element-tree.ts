// The elements of a type by the JSON names they are found under, level by level, with what decides whether a part of a
// resource must or should have them.
import type { ElementDefinition } from '@medplum/fhirtypes';

export interface TreeElement {
  /** Without `[x]`. */
  readonly name: string;
  readonly mandatory: boolean;
  /** Part of what `_summary=true` gives. */
  readonly summary: boolean;
  /** The elements that are defined inside of this one; undefined for one of a data type. */
  readonly children: () => ElementTree | undefined;
}

export interface ElementTree {
  readonly byName: ReadonlyMap<string, TreeElement>;
  /** Elements of a choice of types, `value[x]`. */
  readonly choices: readonly TreeElement[];
}

/** @param elements a snapshot, root first */
export function elementTree(elements: readonly ElementDefinition[]): ElementTree {
  const trees = new Map<string, ElementTree>();
  return treeAt(elements[0]?.path ?? '') ?? { byName: new Map(), choices: [] };

  function treeAt(path: string): ElementTree | undefined {
    const known = trees.get(path);
    if (known) return known;
    const depth = path.split('.').length + 1;
    const direct = elements.filter((each) => each.path.startsWith(`${path}.`) && each.path.split('.').length === depth);
    if (direct.length === 0) return undefined;
    const all = direct.map((element) => [element, treeElement(element)] as const);
    const tree = {
      byName: new Map(all.map(([, each]) => [each.name, each])),
      choices: all.flatMap(([{ path }, each]) => (path.endsWith('[x]') ? [each] : [])),
    };
    trees.set(path, tree);
    return tree;
  }

  function treeElement({ path, min, isSummary, contentReference }: ElementDefinition): TreeElement {
    return {
      name: path.slice(path.lastIndexOf('.') + 1).replace('[x]', ''),
      mandatory: (min ?? 0) > 0,
      summary: isSummary === true,
      children: () => treeAt(contentReference?.replace(/^.*#/, '') ?? path),
    };
  }
}

/** The element that a JSON name belongs to: `valueQuantity` and `_valueString` to `value[x]`. */
export function elementOf(tree: ElementTree, key: string): TreeElement | undefined {
  const plain = key.startsWith('_') ? key.slice(1) : key;
  const exact = tree.byName.get(plain);
  if (exact) return exact;
  return tree.choices.find(({ name }) => plain.startsWith(name) && /^[A-Z]/.test(plain.slice(name.length)));
}
