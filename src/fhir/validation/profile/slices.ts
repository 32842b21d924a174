// Slicing: values are sorted into slices, and each slice has its own cardinality and conditions.
// https://hl7.org/fhir/R4/profiling.html#slicing
import type { Structure } from '../../base-structures.ts';
import { fieldOf, typeCode } from '../../fhirpath/type-model.ts';
import { report, type Visit } from '../visit.ts';
import { type SliceTest, sliceTest } from './discriminator.ts';
import type { NodeCheck, Place, Surroundings } from './place.ts';
import type { ProfileNode } from './profile-tree.ts';

export type SlicesCheck = (places: readonly Place[], parent: Place, visit: Visit) => void;

interface Slice {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Undefined when it cannot be told. */
  readonly matches: (place: Place, visit: Visit) => boolean | undefined;
  readonly check: NodeCheck;
  /** Slices of the slice. */
  readonly inner: SlicesCheck | undefined;
}

type Slicing = NonNullable<ProfileNode['element']['slicing']>;

type CompileNode = (node: ProfileNode, structure: Structure, around: Surroundings) => NodeCheck;

/**
 * @param compileNode compiles what a slice says about its members
 * @param outer how the element is sliced whose slice this is: slices of a slice that does not say how it is sliced are told
 *   apart the same way, as MCC's `category:us-core/caregiver-concerns` are
 * @returns undefined when the element is not sliced
 */
export function compileSlices(
  node: ProfileNode,
  structure: Structure,
  around: Surroundings,
  compileNode: CompileNode,
  outer?: Slicing,
): SlicesCheck | undefined {
  if (node.slices.length === 0) return undefined;
  const discriminators = node.element.slicing?.discriminator ?? outer?.discriminator;
  const slices = node.slices.map((slice) => {
    const { element } = slice;
    return {
      name: element.sliceName ?? slice.name,
      min: element.min ?? 0,
      max: element.max === '*' || element.max === undefined ? Number.POSITIVE_INFINITY : Number(element.max),
      matches: matcher(slice, node, discriminators, around),
      check: compileNode(slice, structure, around),
      inner: compileSlices(slice, structure, around, compileNode, node.element.slicing ?? outer),
    };
  });
  const { rules, ordered } = node.element.slicing ?? {};
  const closed = rules === 'closed';
  return (places, parent, visit) => {
    const members = slices.map((): Place[] => []);
    const unsure = new Set<number>();
    let latest = -1;
    let other: Place | undefined;
    for (const place of places) {
      const answers = slices.map((slice) => slice.matches(place, visit));
      const index = answers.indexOf(true);
      members[index]?.push(place);
      if (index >= 0) {
        if (ordered && index < latest) reportOrder(slices, index, latest, place, visit);
        if (rules === 'openAtEnd' && other) reportOther(other, visit);
        other = undefined;
        latest = Math.max(latest, index);
        continue;
      }
      if (!answers.includes(undefined)) other ??= place;
      for (const [at, answer] of answers.entries()) if (answer === undefined) unsure.add(at);
      if (closed && !answers.includes(undefined)) {
        report(
          visit,
          'error',
          'structure',
          `This is none of ${slices.map(({ name }) => name).join(', ')}.`,
          place.pointer,
        );
      }
    }
    for (const [index, slice] of slices.entries()) {
      const enough = unsure.has(index) ? { ...slice, min: 0 } : slice;
      checkSlice(enough, members[index] ?? [], `${parent.pointer}/${node.name}`, parent, visit);
    }
  };
}

function reportOrder(slices: readonly Slice[], index: number, latest: number, { pointer }: Place, visit: Visit): void {
  const text = `"${slices[index]?.name}" must come before "${slices[latest]?.name}".`;
  report(visit, 'error', 'structure', text, pointer);
}

function reportOther({ pointer }: Place, visit: Visit): void {
  report(visit, 'error', 'structure', 'What is in no slice must come after everything that is.', pointer);
}

function checkSlice(slice: Slice, members: readonly Place[], pointer: string, parent: Place, visit: Visit): void {
  if (members.length < slice.min) {
    const text = `The profile requires ${slice.min === 1 ? '' : `${slice.min} of `}"${slice.name}" here.`;
    report(visit, 'error', 'required', text, pointer);
  }
  if (members.length > slice.max) {
    const text = `The profile allows at most ${slice.max} of "${slice.name}", not ${members.length}.`;
    report(visit, 'error', 'structure', text, members[slice.max]?.pointer ?? pointer);
  }
  for (const place of members) slice.check(place, visit);
  slice.inner?.(members, parent, visit);
}

function matcher(
  slice: ProfileNode,
  node: ProfileNode,
  given: Slicing['discriminator'],
  around: Surroundings,
): (place: Place, visit: Visit) => boolean | undefined {
  const discriminators = given ?? (node.element.path.endsWith('[x]') ? [{ type: 'type' as const, path: '$this' }] : []);
  if (discriminators.length === 0) return () => false;
  const test = extensionTest(slice, given) ?? sliceTest(slice, discriminators, typeOf(slice), around);
  return ({ item }, visit) => test(item, visit);
}

/** Extensions are sliced by url, and a slice's url is that of its profile, or said by itself in an extension of parts. */
function extensionTest(slice: ProfileNode, given: readonly { path: string }[] | undefined): SliceTest | undefined {
  const [type] = slice.element.type ?? [];
  const isExtension = type ? type.code === 'Extension' : slice.element.path.endsWith('.extension');
  if (!isExtension || given?.length !== 1 || given[0]?.path !== 'url') return undefined;
  const own = slice.children.find(({ name }) => name === 'url')?.element.fixedUri;
  const wanted = type?.profile?.[0]?.replace(/\|.*$/, '') ?? own;
  if (wanted === undefined) return undefined;
  return ({ value }) => (value as { url?: unknown }).url === wanted;
}

/** The type whose fields a discriminator's path starts with. */
function typeOf({ element }: ProfileNode): string {
  if (fieldOf(element.path, 'extension')) return element.path;
  const [type] = element.type ?? [];
  return type ? typeCode(type, element.path) : 'Element';
}
