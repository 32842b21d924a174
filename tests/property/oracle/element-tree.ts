// Which elements of a type the search parameters look at, as a tree of names: only those are worth generating.
import model from 'fhirpath/fhir-context/r4';
import { parametersOf } from './search-definitions.ts';

/** Children by element name; empty where the whole value is looked at. */
export type ElementTree = Map<string, ElementTree>;

export interface ElementShape {
  /** FHIR types; more than one for a choice, whose JSON name then ends with the type. */
  readonly types: readonly string[];
  readonly isChoice: boolean;
  readonly repeats: boolean;
  /** Where the definitions of its children begin. */
  readonly path: string;
  /** Types that a Reference may have; empty when any. */
  readonly targets: readonly string[];
}

interface Model {
  readonly path2Type: Readonly<Record<string, string | undefined>>;
  readonly choiceTypePaths: Readonly<Record<string, readonly string[] | undefined>>;
  readonly pathsDefinedElsewhere: Readonly<Record<string, string | undefined>>;
  readonly path2Repeating: Readonly<Record<string, boolean | undefined>>;
  readonly path2RefType: Readonly<Record<string, readonly string[] | undefined>>;
}

const r4 = model as unknown as Model;
const PATH = /\b([A-Z]\w+|%resource)((?:\.[a-z]\w*(?![\w(]))+)/g;

export function elementTree(type: string): ElementTree {
  const root: ElementTree = new Map();
  for (const { expression, components } of parametersOf(type)) {
    const paths = pathsIn(expression, type);
    for (const path of paths) grow(root, path);
    const roots = paths.length > 0 ? paths : [[]];
    for (const component of components) {
      for (const path of pathsIn(component.expression, type)) grow(root, path);
      const [, first] = /^(\w+)/.exec(component.expression) ?? [];
      if (first) for (const start of roots) grow(root, [...start, first]);
    }
  }
  root.delete('id');
  return root;
}

function pathsIn(expression: string, type: string): string[][] {
  return [...expression.matchAll(PATH)]
    .filter(([, start]) => start === type || start === 'Resource' || start === '%resource')
    .map(([, , rest = '']) => rest.slice(1).split('.'));
}

function grow(tree: ElementTree, [name, ...rest]: readonly string[]): void {
  if (name === undefined) return;
  const child = tree.get(name) ?? new Map();
  tree.set(name, child);
  grow(child, rest);
}

/** @returns undefined when R4 has no such element */
export function shapeOf(parent: string, name: string): ElementShape | undefined {
  const written = `${parent}.${name}`;
  const path = r4.pathsDefinedElsewhere[written] ?? written;
  const choice = r4.choiceTypePaths[path];
  const repeats = r4.path2Repeating[path] === true;
  const targets = (r4.path2RefType[path] ?? r4.path2RefType[`${path}Reference`] ?? []).filter(
    (each) => each !== 'Resource',
  );
  if (choice) return { types: choice, isChoice: true, repeats, path, targets };
  const type = r4.path2Type[path];
  if (type === undefined) return undefined;
  const isInline = type === 'BackboneElement' || type === 'Element';
  return { types: [type], isChoice: false, repeats, path: isInline ? path : type, targets };
}
