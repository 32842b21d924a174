// package/package.json of a FHIR package: who it is, which FHIR it is for, what it needs.
// https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
import { Fault } from '../../fault.ts';

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly canonical: string;
  readonly title: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** A package name: words with dots between them. */
export const PACKAGE_NAME = /^[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+$/i;
export const PACKAGE_VERSION = /^[a-z0-9][a-z0-9.+_-]{0,99}$/i;

/** @throws Fault unprocessable */
export function readManifest(text: string | undefined): Manifest {
  if (text === undefined) throw refused('it has no package/package.json.');
  let manifest: Record<string, unknown>;
  try {
    manifest = Object(JSON.parse(text.replace(/^\uFEFF/, '')));
  } catch {
    throw refused('its package.json is not JSON.');
  }
  const { name, version } = manifest;
  if (typeof name !== 'string' || !PACKAGE_NAME.test(name)) throw refused('its package.json has no FHIR package name.');
  if (typeof version !== 'string' || !PACKAGE_VERSION.test(version)) throw refused('its package.json has no version.');
  const dependencies = textsOf(manifest.dependencies);
  checkFhirVersion(`${name}@${version}`, fhirVersions(manifest, dependencies));
  if (/^hl7\.fhir\.(r\d\w*\.)?core$/.test(name)) {
    throw new Fault('unprocessable', `${name} is FHIR itself, which Baton brings along; there is nothing to install.`);
  }
  return {
    name,
    version,
    canonical: textOf(manifest.canonical),
    title: textOf(manifest.title) || name,
    dependencies,
  };
}

/** `fhirVersions`, in old packages `fhir-version-list`, in some only the core package that they depend on. */
function fhirVersions(manifest: Record<string, unknown>, dependencies: Readonly<Record<string, string>>): string[] {
  const named = manifest.fhirVersions ?? manifest['fhir-version-list'];
  if (Array.isArray(named)) return named.filter((version) => typeof version === 'string');
  return Object.entries(dependencies).flatMap(([name, version]) =>
    /^hl7\.fhir\.(r\d\w*\.)?core$/.test(name) ? [version] : [],
  );
}

function checkFhirVersion(label: string, versions: readonly string[]): void {
  if (versions.length === 0) throw refused(`${label} does not say which version of FHIR it is for.`);
  if (versions.some((version) => /^4\.0\.\d+$/.test(version))) return;
  throw new Fault('unprocessable', `${label} is for FHIR ${versions.join(', ')}; Baton speaks FHIR R4 (4.0.1).`);
}

function textsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Object(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '');

function refused(why: string): Fault {
  return new Fault('unprocessable', `This is not a FHIR package: ${why}`);
}
