// Arbitrary resources of any type, filled where a search parameter looks.
import fc, { type Arbitrary } from 'fast-check';
import { TEST_BASE_URL } from '../../support/store-rules.ts';
import { datatype, type Json } from './datatypes.ts';
import { type ElementShape, type ElementTree, elementTree, shapeOf } from './element-tree.ts';
import { CODES, ELSEWHERE, IDS, NOBODY, SYSTEMS } from './pools.ts';

/** How deep elements that hold themselves (`Questionnaire.item.item`) go. */
const MAX_DEPTH = 4;
const HIDDEN = { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' };

/** `R4` names primitive types of choices with a capital (`valueString`), elsewhere without. */
const PRIMITIVES: ReadonlySet<string> = new Set(
  [
    'Boolean',
    'Integer',
    'String',
    'Decimal',
    'Uri',
    'Url',
    'Canonical',
    'Instant',
    'Date',
    'DateTime',
    'Time',
    'Code',
  ].concat(['Oid', 'Id', 'Markdown', 'UnsignedInt', 'PositiveInt', 'Uuid', 'Base64Binary']),
);

/**
 * A resource without id.
 * @param types that references preferably lead to
 */
export function resourceArbitrary(type: string, types: readonly string[]): Arbitrary<Json> {
  const body = membersOf(type, elementTree(type), types, 0);
  const contained = fc.option(
    fc.constantFrom(...types).map((each) => ({ resourceType: each, id: 'c1' })),
    { nil: undefined, freq: 6 },
  );
  return fc.tuple(body, contained).map(([members, inside]) => ({
    resourceType: type,
    ...members,
    ...(inside ? { contained: [inside] } : {}),
  }));
}

function membersOf(path: string, tree: ElementTree, types: readonly string[], depth: number): Arbitrary<Json> {
  const members: Record<string, Arbitrary<Json>> = {};
  for (const [name, children] of tree) {
    const shape = shapeOf(path, name);
    if (!shape) continue;
    const choices = shape.types.map((type) => member(name, type, shape, children, types, depth));
    const possible = choices.filter((choice) => choice !== undefined);
    if (possible.length > 0) members[name] = fc.oneof(...possible);
  }
  // Half of the elements are there; a primitive with nothing but an extension has no value.
  return fc.record(members, { requiredKeys: [] }).map((found) => Object.assign({}, ...Object.values(found)) as Json);
}

/** The element under its JSON name, which for a choice ends with the type. */
function member(
  name: string,
  type: string,
  shape: ElementShape,
  children: ElementTree,
  types: readonly string[],
  depth: number,
): Arbitrary<Json> | undefined {
  const path = shape.isChoice ? `${shape.path}${type}` : shape.path;
  const plain = PRIMITIVES.has(type) ? type.charAt(0).toLowerCase() + type.slice(1) : type;
  const known = datatype(plain === 'System.String' ? 'string' : plain, shape.targets, (targets) =>
    referenceArbitrary(targets, types),
  );
  const one =
    known ?? (depth < MAX_DEPTH && children.size > 0 ? membersOf(path, children, types, depth + 1) : undefined);
  if (!one) return undefined;
  const key = shape.isChoice ? `${name}${type}` : name;
  const isPrimitive = known !== undefined && plain.charAt(0) === plain.charAt(0).toLowerCase();
  if (!shape.repeats) {
    const hidden = fc.constant({ [`_${key}`]: { extension: [HIDDEN] } });
    const filled = one.map((value) => ({ [key]: value }));
    return isPrimitive ? fc.oneof({ weight: 15, arbitrary: filled }, { weight: 1, arbitrary: hidden }) : filled;
  }
  return fc.array(one, { minLength: 1, maxLength: 2 }).map((values) => ({ [key]: values }));
}

/** Every form that a reference takes, mostly to what may be there. */
function referenceArbitrary(targets: readonly string[], types: readonly string[]): Arbitrary<Json> {
  const near = types.filter((type) => targets.length === 0 || targets.includes(type));
  const type = fc.constantFrom(...(near.length > 0 ? near : targets.length > 0 ? targets : types));
  const id = fc.constantFrom(...IDS, NOBODY);
  const local = fc.tuple(type, id).map(([to, one]) => `${to}/${one}`);
  const identifier = fc.record(
    { system: fc.constantFrom(...SYSTEMS), value: fc.constantFrom(...CODES) },
    { requiredKeys: [] },
  );
  const text = fc.oneof(
    { weight: 10, arbitrary: local },
    { weight: 2, arbitrary: local.map((path) => `${TEST_BASE_URL}/${path}`) },
    { weight: 2, arbitrary: local.map((path) => `${path}/_history/1`) },
    { weight: 2, arbitrary: local.map((path) => `${ELSEWHERE}/${path}`) },
    { weight: 1, arbitrary: fc.constant('#c1') },
  );
  return fc.oneof(
    { weight: 12, arbitrary: text.map((reference) => ({ reference })) },
    { weight: 2, arbitrary: fc.record({ reference: text, identifier }) },
    { weight: 2, arbitrary: fc.record({ identifier, type }, { requiredKeys: ['identifier'] }) },
    { weight: 1, arbitrary: fc.constant({ display: 'somebody' }) },
  );
}
