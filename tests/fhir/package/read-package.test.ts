// What is a FHIR package and what is none. Whatever the bytes, the answer is a package or a sentence.
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fault } from '../../../src/fault.ts';
import { readPackage } from '../../../src/fhir/package/read-package.ts';
import { patientProfile, searchParameter } from '../../support/guide-artefacts.ts';
import { entriesOf, type PackageParts, packGuide, packTar } from '../../support/guide-package.ts';

const RESOURCES = [patientProfile('1.0.0', 'gender'), searchParameter()];

describe('readPackage', () => {
  test('finds who the guide is and its conformance resources; examples and other files stay out', () => {
    const example = { resourceType: 'Patient', id: 'example' } as const;
    const archive = packGuide({
      resources: [...RESOURCES, example],
      manifest: { title: 'A guide', canonical: 'http://example.org', dependencies: { 'hl7.fhir.r4.core': '4.0.1' } },
      entries: [
        { name: 'package/example/Goal-a.json', content: '{"resourceType":"Goal","url":"http://x"}' },
        { name: 'package/.index.json', content: '{}' },
        { name: 'package/xml/a.xml', content: '<a/>' },
        { name: 'package/other', content: '', kind: '5' },
      ],
    });
    const { resources, ...guide } = readPackage(archive);
    expect(guide).toMatchObject({ name: 'org.example.guide', version: '1.0.0', title: 'A guide' });
    expect(guide.canonical).toBe('http://example.org');
    expect(resources.map(({ type, constrains, version }) => [type, constrains, version])).toEqual([
      ['StructureDefinition', 'Patient', '1.0.0'],
      ['SearchParameter', '', '1.0.0'],
    ]);
  });

  test('digests the content, not the way it was packed', () => {
    const entries = entriesOf({ resources: RESOURCES });
    const [manifest, ...others] = entries;
    const again = gzipSync(packTar([...others.toReversed(), ...(manifest ? [manifest] : [])]), { level: 1 });
    expect(readPackage(again).digest).toBe(readPackage(packGuide({ resources: RESOURCES })).digest);
    const changed = [patientProfile('1.0.0', 'birthDate'), searchParameter()];
    expect(readPackage(packGuide({ resources: changed })).digest).not.toBe(readPackage(again).digest);
  });

  test('takes long names as pax and as GNU write them', () => {
    const long = `package/${'long'.repeat(40)}.json`;
    const record = (length: number) => `${length} path=${long}\n`;
    const pax = record(record(record(0).length).length);
    const content = JSON.stringify(searchParameter());
    for (const entry of [
      { name: 'PaxHeader', content: pax, kind: 'x' },
      { name: '././@LongLink', content: `${long}\0`, kind: 'L' },
    ]) {
      const archive = packGuide({ entries: [entry, { name: 'cut', content }] });
      expect(readPackage(archive).resources.map(({ file }) => `package/${file}`)).toEqual([long]);
    }
  });

  const refused: [string, PackageParts, string][] = [
    ['for another FHIR', { manifest: { fhirVersions: ['5.0.0'] } }, 'is for FHIR 5.0.0'],
    ['for no FHIR at all (an npm package)', { manifest: { fhirVersions: undefined } }, 'does not say which version'],
    ['FHIR itself', { name: 'hl7.fhir.r4.core', version: '4.0.1' }, 'brings along'],
    ['without a proper name', { name: '../../etc/passwd' }, 'no FHIR package name'],
    ['without a version', { manifest: { version: 7 } }, 'no version'],
    ['empty', { resources: [] }, 'nothing to install'],
    ['with a file twice', { resources: [searchParameter(), searchParameter()] }, 'twice'],
    ['with a broken file', { entries: [{ name: 'package/x.json', content: '{' }] }, 'x.json is not JSON'],
    ['with a way out', { entries: [{ name: 'package/../../x.json', content: '{}' }] }, 'outside of itself'],
    ['with an absolute path', { entries: [{ name: '/etc/x.json', content: '{}' }] }, 'outside of itself'],
    ['with a link', { entries: [{ name: 'package/x.json', content: '', kind: '2' }] }, 'links'],
  ];
  test.each(refused)('refuses one %s', (_, parts, sentence) => {
    expect(() => readPackage(packGuide({ resources: RESOURCES, ...parts }))).toThrow(sentence);
  });

  test('refuses what is no archive, a cut one, and one with another sum than it says', () => {
    const tar = packTar(entriesOf({ resources: RESOURCES }));
    expect(() => readPackage(Buffer.from('PK\x03\x04'))).toThrow('not a whole gzip file');
    expect(() => readPackage(gzipSync(tar).subarray(0, -20))).toThrow('not a whole gzip file');
    expect(() => readPackage(gzipSync(tar.subarray(0, 700)))).toThrow('cut off');
    const bent = Buffer.from(tar);
    bent[0] = 0x41;
    expect(() => readPackage(gzipSync(bent))).toThrow('checksum');
    expect(() => readPackage(packGuide({ entries: [] }).subarray(0, 0))).toThrow(Fault);
  });

  test('refuses what would fill the memory', () => {
    // Members of a gzip file are unpacked one after the other (RFC 1952, 2.2).
    const member = gzipSync(Buffer.alloc(27 * 1024 * 1024), { level: 1 });
    const bomb = Buffer.concat(Array.from({ length: 19 }, () => member));
    expect(() => readPackage(bomb)).toThrow('larger than 512 MiB');
  }, 120_000);

  test('never fails in any other way', () => {
    const tar = gunzipSync(packGuide({ resources: RESOURCES }));
    const spoilt = fc
      .array(fc.tuple(fc.nat(tar.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
      .map((changes) => {
        const bytes = Buffer.from(tar);
        for (const [at, byte] of changes) bytes[at] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(spoilt, fc.nat(tar.length), (bytes, end) => {
        for (const archive of [gzipSync(bytes), gzipSync(bytes.subarray(0, end))]) {
          try {
            expect(readPackage(archive).resources.length).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toBeInstanceOf(Fault);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
