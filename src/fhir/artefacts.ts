// Conformance resources by canonical URL: several versions of one side by side, each parsed when it is first needed.
// https://hl7.org/fhir/R4/references.html#canonical
import type { Resource } from '@medplum/fhirtypes';
import { compareVersions } from './package/version-order.ts';

/** A StructureDefinition, ValueSet, CodeSystem, ConceptMap or SearchParameter that is installed. */
export interface Artefact {
  readonly type: string;
  readonly url: string;
  /** Business version; '' when it has none. */
  readonly version: string;
  /** The resource type that a profile constrains; '' for everything else. */
  readonly constrains: string;
  /** The guide it comes from, `name@version`; '' when it came with Baton. */
  readonly guide: string;
  /** The resource, parsed on each call. */
  read(): Resource;
}

export interface Artefacts {
  /**
   * The one that `url|version` names exactly, or one that says no version of itself; for a URL alone the newest version.
   */
  find(type: string, canonical: string): Artefact | undefined;
  /** Every version of one URL, the newest first. */
  versions(type: string, url: string): readonly Artefact[];
  /** Of each URL the newest version, in the order they were installed. */
  newest(type: string): readonly Artefact[];
  /** Every version of every one. */
  all(type: string): readonly Artefact[];
}

/** @param artefacts of two with one URL and version the first is kept */
export function indexArtefacts(artefacts: readonly Artefact[]): Artefacts {
  const byUrl = new Map<string, Artefact[]>();
  const byType = new Map<string, Artefact[]>();
  for (const artefact of artefacts) {
    const key = keyOf(artefact.type, artefact.url);
    const versions = byUrl.get(key) ?? [];
    if (versions.some(({ version }) => version === artefact.version)) continue;
    byUrl.set(
      key,
      [...versions, artefact].sort((a, b) => compareVersions(b.version, a.version)),
    );
    byType.set(artefact.type, [...(byType.get(artefact.type) ?? []), artefact]);
  }
  const all = (type: string) => byType.get(type) ?? [];
  const versionsOf = (type: string, url: string) => byUrl.get(keyOf(type, url)) ?? [];
  return {
    find(type, canonical) {
      const { url, version } = splitCanonical(canonical);
      const versions = versionsOf(type, url);
      if (version === undefined) return versions[0];
      return versions.find((one) => one.version === version) ?? versions.find((one) => one.version === '');
    },
    versions: versionsOf,
    newest: (type) => all(type).filter((one) => versionsOf(type, one.url)[0] === one),
    all,
  };
}

/** An artefact that is there already parsed; undefined for a resource that has no canonical URL. */
export function artefactOf(resource: Resource): Artefact | undefined {
  const { url, version } = resource as { url?: unknown; version?: unknown };
  if (typeof url !== 'string') return undefined;
  const profile = resource.resourceType === 'StructureDefinition' && resource.kind === 'resource';
  const constrains = profile && resource.derivation === 'constraint' ? resource.type : '';
  return {
    type: resource.resourceType,
    url,
    version: typeof version === 'string' ? version : '',
    constrains,
    guide: '',
    read: () => resource,
  };
}

/** `url|version` in its two parts. */
export function splitCanonical(canonical: string): { readonly url: string; readonly version: string | undefined } {
  const bar = canonical.indexOf('|');
  if (bar < 0) return { url: canonical, version: undefined };
  return { url: canonical.slice(0, bar), version: canonical.slice(bar + 1) };
}

const keyOf = (type: string, url: string) => `${type} ${url}`;
