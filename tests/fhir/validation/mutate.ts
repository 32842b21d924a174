// Mistakes made on purpose: every way in which a valid resource can be spoilt by one change, with the place where
// validation has to find it. Which changes are mistakes is read from the definitions, not from the validator.
import type { ElementDefinition } from '@medplum/fhirtypes';
import type { Definitions } from '../../../src/fhir/definitions.ts';
import { fieldOfProperty } from '../../../src/fhir/fhirpath/type-model.ts';
import { isPrimitive } from '../../../src/fhir/fhirpath/typed-value.ts';
import { profileMutants } from './mutate-profile.ts';

export interface Mutant {
  /** What sort of mistake it is. */
  readonly kind: string;
  /** Where it must be found. */
  readonly expression: string;
  /** A copy of the resource with the mistake. */
  readonly make: () => object;
}

export type Node = Record<string, unknown>;
/** Where something is in a resource. */
export type Keys = readonly (string | number)[];
export type Change = (holder: Node, key: string) => void;

/** An element of a resource: its holder and name, its value, and what the base type says of it. */
interface Met {
  readonly type: string;
  readonly holderAt: string;
  readonly name: string;
  readonly key: string;
  readonly items: readonly unknown[];
  readonly isList: boolean;
  readonly definition: ElementDefinition | undefined;
}

/** All single mistakes in a resource, against its base type and against the profiles it claims. */
export function* mutantsOf(resource: object, definitions: Definitions): Generator<Mutant> {
  const { resourceType } = resource as { resourceType: string };
  yield* nodeMutants(resource as Node, resourceType, resourceType, [], resource, definitions);
  yield* profileMutants(resource, definitions);
}

function* nodeMutants(
  node: Node,
  type: string,
  at: string,
  keys: Keys,
  root: object,
  definitions: Definitions,
): Generator<Mutant> {
  const change = (kind: string, expression: string, act: (node: Node) => void): Mutant => ({
    kind,
    expression,
    make: () => spoilt(root, keys, act),
  });
  yield change('unknown element', `${at}.nonsense`, (copy) => {
    copy.nonsense = 'x';
  });
  yield* brokenRules(node, type, at).map(({ kind, expression, act }) => change(kind, expression, act));
  for (const [key, value] of Object.entries(node)) {
    const field = fieldOfProperty(type, key);
    if (!field || key.startsWith('_')) continue;
    const isList = Array.isArray(value);
    const definition = definitionOf(definitions, type, field.name);
    const items = isList ? value : [value];
    const met = { type: field.type, holderAt: at, name: field.name, key, items, isList, definition };
    yield* elementMistakes(met, Object.keys(node).length, definitions).map(({ kind, expression, act }) =>
      change(kind, expression, act),
    );
    for (const [index, item] of items.entries()) {
      if (typeof item !== 'object' || item === null) continue;
      const below = isList ? [...keys, key, index] : [...keys, key];
      const inner = (item as { resourceType?: string }).resourceType ?? field.type;
      const place = isList ? `${at}.${field.name}[${index}]` : `${at}.${field.name}`;
      yield* nodeMutants(item as Node, inner, place, below, root, definitions);
    }
  }
}

interface Mistake {
  readonly kind: string;
  readonly expression: string;
  readonly act: (holder: Node) => void;
}

function elementMistakes(met: Met, siblings: number, definitions: Definitions): Mistake[] {
  const { type, holderAt, name, key, items, isList, definition } = met;
  const at = `${holderAt}.${name}`;
  const mistakes: Mistake[] = [];
  const set = (kind: string, value: unknown, expression = isList ? `${at}[0]` : at): void => {
    const act = (holder: Node) => {
      if (isList) (holder[key] as unknown[])[0] = value;
      else holder[key] = value;
    };
    mistakes.push({ kind, expression, act });
  };
  const replace = (kind: string, value: unknown): void => {
    mistakes.push({ kind, expression: at, act: assigning(key, value) });
  };
  if ((definition?.min ?? 0) > 0 && siblings > 1) {
    const act = (holder: Node) => {
      delete holder[key];
      delete holder[`_${key}`];
    };
    mistakes.push({ kind: 'required element dropped', expression: at, act });
  }
  if (isPrimitive(type)) set('wrong primitive type', typeof items[0] === 'string' ? 42 : 'text');
  else set('wrong complex type', 'text');
  if (isList) replace('one instead of a list', items[0]);
  else replace('list instead of one', [items[0]]);
  const ill = ILL_FORMED[type];
  if (ill !== undefined) set('wrong format', ill);
  const { strength, valueSet } = definition?.binding ?? {};
  if (type === 'code' && strength === 'required' && valueSet !== undefined) {
    if (definitions.codes(valueSet)?.has('no-such-code') === false) set('wrong code', 'no-such-code');
  }
  const targets = definition?.type?.find(({ code }) => code === 'Reference')?.targetProfile ?? [];
  if (type === 'Reference' && targets.length > 0 && !targets.some((url) => url.endsWith('/Resource'))) {
    set('wrong reference type', { reference: 'StructureMap/1' });
  }
  return mistakes;
}

const ILL_FORMED: Readonly<Record<string, string>> = {
  date: '2026-02-30',
  dateTime: '2026-01-01T10:00',
  instant: '2026-01-01',
  time: '25:00:00',
  id: 'two words',
  uri: 'two words',
  url: 'two words',
  canonical: 'two words',
  code: ' code ',
  base64Binary: 'a',
  string: '',
  markdown: '',
};

/** Invariants that one change breaks, by type. */
function brokenRules(node: Node, type: string, at: string): Mistake[] {
  const kind = 'broken invariant';
  switch (type) {
    case 'Period':
      return typeof node.start === 'string' && typeof node.end === 'string'
        ? [{ kind, expression: at, act: assigning('end', '1800-01-01') }]
        : [];
    case 'Quantity':
      return node.code !== undefined ? [{ kind, expression: at, act: (copy) => void delete copy.system }] : [];
    case 'Narrative':
      return [
        '<script>x</script>',
        '<p onclick="x">y</p>',
        '<a href="javascript:x">y</a>',
        '<iframe src="x">y</iframe>',
      ].map((inner) => ({
        kind: 'unsafe narrative',
        expression: `${at}.div`,
        act: assigning('div', `<div xmlns="http://www.w3.org/1999/xhtml">${inner}</div>`),
      }));
    case 'Reference':
      return [{ kind, expression: at, act: assigning('reference', '#nobody') }];
    case 'Extension':
      return [
        { kind: 'bad extension', expression: `${at}.url`, act: (copy) => void delete copy.url },
        {
          kind: 'bad extension',
          expression: at,
          act: (copy) => {
            if (!Object.keys(copy).some((key) => key.startsWith('value'))) copy.valueString = 'x';
            copy.extension ??= [{ url: 'x', valueString: 'x' }];
          },
        },
      ];
    default:
      return [];
  }
}

function assigning(key: string, value: unknown): Mistake['act'] {
  return (copy) => {
    copy[key] = value;
  };
}

function definitionOf(definitions: Definitions, type: string, name: string): ElementDefinition | undefined {
  const path = `${type}.${name}`;
  const elements = definitions.structure(type.split('.')[0] ?? type)?.elements ?? [];
  return elements.find((element) => element.path === path || element.path === `${path}[x]`);
}

/** A copy of `root` after a change at a place. */
export function spoilt(root: object, keys: Keys, act: (node: Node) => void): object {
  const copy = structuredClone(root);
  let node = copy as Node;
  for (const key of keys) node = node[key] as Node;
  act(node);
  return copy;
}
