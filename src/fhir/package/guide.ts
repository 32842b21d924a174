// An implementation guide as Baton keeps it: what its package says of itself, and its conformance resources.
import type { Artefact } from '../artefacts.ts';

export interface Guide {
  /** Package name, e.g. `hl7.fhir.us.core`. */
  readonly name: string;
  readonly version: string;
  /** Canonical URL of its ImplementationGuide or its base; '' when the package says none. */
  readonly canonical: string;
  readonly title: string;
  /** Package name to version, as written. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** SHA-256 of its files, hexadecimal: the same whichever way they were packed. */
  readonly digest: string;
}

/** A guide with what validation, search and terminology use of it. */
export interface InstalledGuide extends Guide {
  readonly artefacts: readonly Artefact[];
}

/** `hl7.fhir.us.core@7.0.0` */
export const labelOf = ({ name, version }: Pick<Guide, 'name' | 'version'>) => `${name}@${version}`;

/** What every R4 server has; packages name it as a dependency. */
const BUILT_IN = new Set(['hl7.fhir.r4.core', 'hl7.fhir.core']);

/** The dependencies that no installed guide has, `name@version`. */
export function missingDependencies(guide: Guide, installed: readonly Guide[]): string[] {
  return Object.entries(guide.dependencies)
    .filter(([name]) => !BUILT_IN.has(name))
    .filter(([name, version]) => !installed.some((other) => satisfies(other, name, version)))
    .map(([name, version]) => labelOf({ name, version }));
}

/** The installed guides that name this one as a dependency. */
export function dependents(guide: Pick<Guide, 'name' | 'version'>, installed: readonly Guide[]): readonly Guide[] {
  return installed.filter(({ dependencies }) =>
    Object.entries(dependencies).some(([name, version]) => satisfies(guide, name, version)),
  );
}

/**
 * Whether a guide is what a dependency asks for. `1.2.x` is any patch of 1.2, and a package that needs two versions of
 * one guide calls the older `name.v610`.
 */
function satisfies(guide: Pick<Guide, 'name' | 'version'>, name: string, version: string): boolean {
  const isNamed = guide.name === name || guide.name === name.replace(/\.v\d+$/, '');
  const isVersion =
    guide.version === version || (version.endsWith('.x') && guide.version.startsWith(version.slice(0, -1)));
  return isNamed && isVersion;
}
