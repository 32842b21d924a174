// `baton guide add | list | remove` and `baton reindex`: what they take and what they say.
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Clock } from './clock.ts';
import { Fault } from './fault.ts';
import type { Conformance } from './fhir/conformance.ts';
import { labelOf } from './fhir/package/guide.ts';
import { PACKAGE_NAME, PACKAGE_VERSION } from './fhir/package/manifest.ts';
import { type GuidePackage, MAX_ARCHIVE, readPackage } from './fhir/package/read-package.ts';
import { fetchPackage, type PackageRegistry } from './remote/package-registry.ts';
import { type GuideKeeping, type Installation, installGuide, removeGuide } from './store/install-guide.ts';
import type { OpenStore } from './store/open.ts';
import { readIndexProgress } from './store/search/index-progress.ts';
import type { Actor } from './store/store.ts';

export interface GuideCommandParts {
  readonly app: { readonly store: OpenStore; readonly conformance: Conformance };
  readonly actor: Actor;
  readonly clock: Clock;
  readonly registry: PackageRegistry;
  readonly print: (text: string) => void;
}

/** @param sources files, or `name@version` for the registry. @throws Fault; what was added before it stays */
export async function addGuides(parts: GuideCommandParts, sources: readonly string[]): Promise<void> {
  const { app, print } = parts;
  for (const source of sources) {
    const guide = readPackage(await archiveOf(parts, source));
    const installation = await installGuide(keeping(parts), guide);
    print(`${labelOf(guide)}: ${installation.isNew ? 'added' : 'is installed already, nothing changed'}`);
    report(guide, installation, print);
  }
  if (app.store.isIndexing) {
    await listIndexing(parts);
    print('A running Baton does that in the background; without one, `baton reindex` does.');
  }
}

export function listGuides({ app, print }: GuideCommandParts): void {
  const { guides } = app.conformance;
  if (guides.length === 0) print('No guide is installed.');
  for (const guide of guides) {
    const profiles = guide.artefacts.filter(({ constrains }) => constrains !== '').length;
    print(`${labelOf(guide)}  ${guide.title}  ${profiles} profiles  ${guide.canonical}  sha256 ${guide.digest}`);
  }
}

/** @throws Fault not-found | conflict */
export async function removeGuides(parts: GuideCommandParts, labels: readonly string[]): Promise<void> {
  for (const label of labels) {
    const { name, version } = splitLabel(label);
    await removeGuide(keeping(parts), name, version);
    parts.print(`${label}: removed`);
  }
}

/** Indexes what is left to be indexed; a running Baton may do so at the same time. */
export async function reindex(parts: GuideCommandParts): Promise<void> {
  const { app, print } = parts;
  await listIndexing(parts);
  await app.store.reindex(new AbortController().signal);
  print('Every resource is indexed by every search parameter.');
}

async function listIndexing({ app, print }: GuideCommandParts): Promise<void> {
  for (const { type, parameters, remaining } of await readIndexProgress(app.store)) {
    const names = parameters.length > 5 ? `${parameters.length} parameters` : parameters.join(', ');
    print(`  ${type}: ${remaining} resources are to be indexed by ${names}; searches by them are refused until then`);
  }
}

async function archiveOf({ registry, print }: GuideCommandParts, source: string): Promise<Uint8Array> {
  const at = source.lastIndexOf('@');
  const isLabel = at > 0 && PACKAGE_NAME.test(source.slice(0, at)) && !source.endsWith('.tgz');
  const archive = isLabel ? await fetched(registry, source, print) : readArchive(source);
  print(`${source}: sha256 ${createHash('sha256').update(archive).digest('hex')}`);
  return archive;
}

function fetched(registry: PackageRegistry, label: string, print: (text: string) => void): Promise<Uint8Array> {
  const { name, version } = splitLabel(label);
  print(`${label}: fetching from ${registry.url}`);
  return fetchPackage(registry, name, version);
}

function readArchive(path: string): Uint8Array {
  try {
    if (statSync(path).size > MAX_ARCHIVE) throw new Fault('too-large', `${path} is larger than 128 MiB.`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Fault) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new Fault('not-found', `${path} cannot be read (${code}). Name a .tgz file, or NAME@VERSION.`);
  }
}

/** @throws Fault invalid */
function splitLabel(label: string): { readonly name: string; readonly version: string } {
  const at = label.lastIndexOf('@');
  const [name, version] = [label.slice(0, Math.max(at, 0)), label.slice(at + 1)];
  if (PACKAGE_NAME.test(name) && PACKAGE_VERSION.test(version)) return { name, version };
  throw new Fault('invalid', `"${label}" is no NAME@VERSION, like hl7.fhir.us.core@7.0.0.`);
}

function report(guide: GuidePackage, installation: Installation, print: (text: string) => void): void {
  const counts = Map.groupBy(guide.resources, ({ type }) => type);
  print(`  ${[...counts].map(([type, all]) => `${all.length} ${type}`).join(', ')}`);
  const { missing, unusedParameters, unusableProfiles } = installation;
  if (missing.length > 0) print(`  not installed, though it names them as dependencies: ${missing.join(', ')}`);
  for (const { name, url, why } of unusedParameters) print(`  cannot be searched by: ${name} (${url}), because ${why}`);
  for (const { url, why } of unusableProfiles) print(`  cannot be checked: ${url}. ${why}`);
}

const keeping = ({ app, actor, clock }: GuideCommandParts): GuideKeeping => ({ ...app, actor, clock });
