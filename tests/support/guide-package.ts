// Packs FHIR packages for tests, well-formed and otherwise.
import { gzipSync } from 'node:zlib';
import type { Resource } from '@medplum/fhirtypes';

export interface Entry {
  readonly name: string;
  readonly content: string | Buffer;
  /** Type flag of the header; a regular file when absent. */
  readonly kind?: string;
}

export interface PackageParts {
  readonly name?: string;
  readonly version?: string;
  readonly resources?: readonly Resource[];
  /** More members of package.json, or others. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly entries?: readonly Entry[];
}

/** A .tgz with the resources as files of their own. */
export function packGuide(parts: PackageParts = {}): Buffer {
  return gzipSync(packTar(entriesOf(parts)));
}

export function entriesOf({ name, version, resources = [], manifest, entries = [] }: PackageParts): Entry[] {
  const json = { name: name ?? 'org.example.guide', version: version ?? '1.0.0', fhirVersions: ['4.0.1'], ...manifest };
  return [
    { name: 'package/package.json', content: JSON.stringify(json) },
    ...resources.map((resource, i) => ({
      name: `package/${resource.resourceType}-${resource.id ?? i}.json`,
      content: JSON.stringify(resource),
    })),
    ...entries,
  ];
}

export function packTar(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ name, content, kind = '0' }) => {
    const bytes = Buffer.from(content);
    return [header(name, bytes.length, kind), bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function header(name: string, size: number, kind: string): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write('0000644\0', 100);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('        ', 148);
  block.write(kind, 156);
  block.write('ustar\0', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
