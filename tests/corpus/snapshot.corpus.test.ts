// Snapshots made from differentials, against those that the guides publish. All that matters to validation is compared;
// what differs is explained by a rule that is checked for each difference, or by name.
import { basename } from 'node:path';
import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { baseStructures } from '../../src/fhir/base-structures.ts';
import type { SnapshotSource } from '../../src/fhir/snapshot/draft.ts';
import { generateSnapshot } from '../../src/fhir/snapshot/generate-snapshot.ts';
import type { Lookup } from '../../src/fhir/snapshot/walk.ts';
import { coreProfiles, corpusFiles, readPackage } from './packages.ts';

const FACETS =
  /^(min|max|type|binding|constraint|slicing|sliceName|mustSupport|isModifier|contentReference|maxLength|(fixed|pattern|minValue|maxValue)[A-Z].*)$/;

/** Definitions that the packages build on and that are not in the corpus. */
const NOT_IN_CORPUS = [
  'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaireresponse',
  'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription',
  'http://hl7.org/fhir/StructureDefinition/Base',
];

/** Differences by name, with the reason. */
const EXPLAINED: Readonly<Record<string, string>> = {
  'USCorePatientProfile Patient.extension:race constraint':
    'the publisher copied a rule of the extension, which is checked there',
  'PASDeviceRequest DeviceRequest.extension:coverage constraint': 'rules of an extension of CRD, not in the corpus',
  'PASNutritionOrder NutritionOrder.extension:coverage constraint': 'rules of an extension of CRD, not in the corpus',
  'PASServiceRequest ServiceRequest.extension:coverage constraint': 'rules of an extension of CRD, not in the corpus',
  'PASClaim Claim.extension:encounter.url fixedUri': 'the extension is of a package that is not in the corpus',
  'PASClaimUpdate Claim.extension:encounter.url fixedUri': 'the extension is of a package that is not in the corpus',
};

type Elements = ReadonlyMap<string, ElementDefinition>;

const files = corpusFiles('igs').sort();
describe.skipIf(files.length === 0)('snapshots from differentials', () => {
  const core = new Map<string, SnapshotSource>();
  for (const structure of baseStructures()) {
    core.set(structure.url, structure).set(structure.name, structure);
  }
  for (const profile of coreProfiles()) core.set(profile.url, sourceOf(profile));
  const others = new Map<string, SnapshotSource>();
  for (const file of files.filter((one) => one.includes('core-7'))) {
    for (const one of definitionsIn(file)) others.set(one.url, sourceOf(one));
  }

  test.each(files.map((file) => [basename(file), file]))('%s', (_, file) => {
    const published = new Map(definitionsIn(file).map((one) => [one.url, one]));
    const made = new Map<string, SnapshotSource>();
    const lookup: Lookup = (canonical) => {
      const url = canonical.replace(/\|.*$/, '');
      const own = published.get(url);
      if (own && !made.has(url)) {
        made.set(url, sourceOf(own));
        if (isPossible(own)) made.set(url, sourceOf(generateSnapshot(own, lookup)));
      }
      return made.get(url) ?? core.get(url) ?? others.get(url);
    };
    const unexplained: string[] = [];
    let compared = 0;
    for (const definition of published.values()) {
      if (!isPossible(definition)) continue;
      const [right, ours] = [definition, generateSnapshot(definition, lookup)].map(elementsById) as [
        Elements,
        Elements,
      ];
      compared += right.size;
      for (const { id, facet, ...values } of differences(right, ours)) {
        const name = `${definition.name} ${id} ${facet}`;
        if (!EXPLAINED[name] && !isExplained(id, facet, values, right, ours)) unexplained.push(name);
      }
    }
    expect(compared).toBeGreaterThan(2_000);
    expect(unexplained).toEqual([]);
  });
});

interface Difference {
  readonly id: string;
  readonly facet: string;
  readonly published: unknown;
  readonly ours: unknown;
}

function* differences(right: Elements, ours: Elements): Generator<Difference> {
  for (const id of right.keys()) if (!ours.has(id)) yield { id, facet: 'missing', published: true, ours: false };
  for (const [id, element] of ours) {
    const other = right.get(id);
    if (!other) {
      yield { id, facet: 'extra', published: false, ours: true };
      continue;
    }
    for (const facet of new Set([...Object.keys(element), ...Object.keys(other)].filter((key) => FACETS.test(key)))) {
      const [published, own] = [facetOf(other, facet), facetOf(element, facet)];
      if (published !== own) yield { id, facet, published, ours: own };
    }
  }
}

/** The two reasons that are rules rather than single cases. */
function isExplained(
  id: string,
  facet: string,
  { published }: Pick<Difference, 'published'>,
  right: Elements,
  ours: Elements,
): boolean {
  // A newer publisher repeats for a slice what the differential says of the element that is sliced; it holds anyway.
  const unsliced = ours.get(id.replace(/:[^.]+/g, ''));
  if (id.includes(':') && unsliced && facetOf(unsliced, facet) === published) return true;
  // That publisher forgets the children of an element when a differential gives it a profile; ours keeps them.
  const parent = right.get(id.slice(0, id.lastIndexOf('.')));
  const stillProfiled = right
    .get(id.replace(/:[^.]+/g, '').replace(/\.[^.]+$/, ''))
    ?.type?.some(({ profile }) => profile);
  return facet === 'extra' && (stillProfiled === true || parent?.type?.some(({ profile }) => profile) === true);
}

function definitionsIn(file: string): StructureDefinition[] {
  return readPackage(file).artefacts.filter((one) => one.resourceType === 'StructureDefinition');
}

function isPossible({ baseDefinition = '' }: StructureDefinition): boolean {
  return !NOT_IN_CORPUS.includes(baseDefinition.replace(/\|.*$/, ''));
}

function sourceOf({ url, type, snapshot }: StructureDefinition): SnapshotSource {
  return { url, type, elements: snapshot?.element ?? [] };
}

function elementsById({ snapshot }: StructureDefinition): Elements {
  return new Map((snapshot?.element ?? []).map((element) => [element.id ?? '', element]));
}

/** One property as text, without what does not change its meaning: order, versions that a publisher adds, prose. */
function facetOf(element: ElementDefinition, facet: string): string | undefined {
  const text = (value: unknown) => JSON.stringify(value)?.replace(/\|[\w.-]+"/g, '"');
  switch (facet) {
    case 'constraint':
      return text((element.constraint ?? []).map(({ key }) => key).sort());
    case 'binding':
      return text(element.binding && [element.binding.strength, element.binding.valueSet]);
    case 'type':
      return text(element.type?.map(({ code, profile, targetProfile }) => [code, profile, targetProfile]));
    case 'slicing':
      return text(
        element.slicing && [element.slicing.discriminator, element.slicing.ordered ?? false, element.slicing.rules],
      );
    case 'contentReference':
      return element.contentReference?.replace(/^.*#/, '');
    case 'mustSupport':
    case 'isModifier':
      return text(element[facet] ?? false);
    default:
      return text((element as unknown as Record<string, unknown>)[facet]);
  }
}
