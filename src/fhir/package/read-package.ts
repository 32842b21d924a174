// Reads a FHIR package (NPM form, .tgz) and refuses what is none, or none for R4.
// https://hl7.org/fhir/packages.html, https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { Resource, StructureDefinition } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Guide } from './guide.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { type TarFile, tarFiles } from './tar.ts';

/** The largest archive, and the largest one unpacked, in bytes: several times what the largest published guides have. */
export const MAX_ARCHIVE = 128 * 1024 * 1024;
const MAX_UNPACKED = 512 * 1024 * 1024;

export interface GuidePackage extends Guide {
  readonly resources: readonly PackagedResource[];
}

/** A conformance resource of a package. */
export interface PackagedResource {
  /** Name of its file without the folder; unique in the package. */
  readonly file: string;
  readonly type: string;
  readonly url: string;
  /** Business version; '' when it has none. */
  readonly version: string;
  /** The resource type that a profile constrains; '' for everything else. */
  readonly constrains: string;
  /** JSON text as published. */
  readonly text: string;
}

/**
 * @param archive the bytes of the .tgz
 * @throws Fault unprocessable saying why it is not a FHIR R4 package, too-large
 */
export function readPackage(archive: Uint8Array): GuidePackage {
  const files = [...tarFiles(unpack(archive))];
  const manifest = readManifest(files.find(({ name }) => name === 'package/package.json')?.content.toString('utf8'));
  const resources = files.filter(isResourceFile).flatMap((file) => readResource(file) ?? []);
  const names = new Set<string>();
  for (const { file } of resources) {
    if (names.has(file)) throw refused(`It has the file ${file} twice.`);
    names.add(file);
  }
  if (resources.length === 0) throw refused('It has no conformance resources, so there is nothing to install.');
  return { ...manifest, canonical: canonicalOf(manifest, resources), digest: digestOf(manifest, resources), resources };
}

function unpack(archive: Uint8Array): Buffer {
  if (archive.byteLength > MAX_ARCHIVE) throw tooLarge('It is larger than 128 MiB.');
  try {
    return gunzipSync(archive, { maxOutputLength: MAX_UNPACKED });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooLarge('It is larger than 512 MiB when unpacked.');
    }
    throw new Fault('unprocessable', 'This is not a FHIR package: it is not a whole gzip file.', { cause });
  }
}

/** The folder's own files only: examples, XML and OpenAPI lie in folders below. */
function isResourceFile({ name }: TarFile): boolean {
  return /^package\/[^/]+\.json$/.test(name) && !/\/(package|\.index)\.json$/.test(name);
}

/** Undefined for a file that is no resource or has no canonical URL, which nothing could refer to. */
function readResource({ name, content }: TarFile): PackagedResource | undefined {
  const file = name.slice('package/'.length);
  const text = content.toString('utf8').replace(/^\uFEFF/, '');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Fault('unprocessable', `The package is damaged: ${file} is not JSON.`, { cause });
  }
  const { resourceType: type, url, version } = (value ?? {}) as Record<string, unknown>;
  if (typeof type !== 'string' || typeof url !== 'string') return undefined;
  const constrains = constrainedType(value as Resource);
  return { file, type, url, version: typeof version === 'string' ? version : '', constrains, text };
}

function constrainedType(resource: Resource): string {
  if (resource.resourceType !== 'StructureDefinition') return '';
  const { kind, derivation, type } = resource as StructureDefinition;
  return kind === 'resource' && derivation === 'constraint' && typeof type === 'string' ? type : '';
}

function canonicalOf(manifest: Manifest, resources: readonly PackagedResource[]): string {
  const guides = resources.filter(({ type }) => type === 'ImplementationGuide');
  const own = guides.find(({ url }) => url.endsWith(`/${manifest.name}`)) ?? guides[0];
  return own?.url ?? manifest.canonical;
}

function digestOf(manifest: Manifest, resources: readonly PackagedResource[]): string {
  const hash = createHash('sha256').update(`${manifest.name}@${manifest.version}\n`);
  for (const { file, text } of resources.toSorted((a, b) => (a.file < b.file ? -1 : 1))) {
    hash.update(`${file} ${Buffer.byteLength(text)}\n`).update(text);
  }
  return hash.digest('hex');
}

function refused(why: string): Fault {
  return new Fault('unprocessable', `The package cannot be installed. ${why}`);
}

function tooLarge(why: string): Fault {
  return new Fault('too-large', `The package cannot be installed. ${why}`);
}
