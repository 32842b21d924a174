// What the CapabilityStatement says of installed guides. https://hl7.org/fhir/R4/capabilitystatement.html
import type { Artefacts } from './artefacts.ts';
import type { Guide } from './package/guide.ts';

export interface Installed {
  /** Canonicals of the guides, with versions. */
  readonly guides: readonly string[];
  /** Resource type to the profiles on it that a resource may claim, with versions. */
  readonly profiles: ReadonlyMap<string, readonly string[]>;
  /** Resource type to the profiles that every resource of it must meet. */
  readonly required: Readonly<Record<string, readonly string[]>>;
}

export const NOTHING_INSTALLED: Installed = { guides: [], profiles: new Map(), required: {} };

export function describeInstalled(
  guides: readonly Guide[],
  artefacts: Artefacts,
  required: Installed['required'],
): Installed {
  const profiles = artefacts.all('StructureDefinition').filter(({ constrains }) => constrains !== '');
  const byType = Map.groupBy(profiles, ({ constrains }) => constrains);
  return {
    guides: guides
      .filter(({ canonical }) => canonical !== '')
      .map(({ canonical, version }) => `${canonical}|${version}`),
    profiles: new Map([...byType].map(([type, all]) => [type, all.map(canonicalOf)])),
    required,
  };
}

const canonicalOf = ({ url, version }: { url: string; version: string }) =>
  version === '' ? url : `${url}|${version}`;
