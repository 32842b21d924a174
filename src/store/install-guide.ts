// Adds a guide to those installed, or takes one away: one commit, after which every process on the database uses it.
import type { Resource } from '@medplum/fhirtypes';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import type { Artefact } from '../fhir/artefacts.ts';
import type { Conformance, Prepared } from '../fhir/conformance.ts';
import { dependents, labelOf, missingDependencies } from '../fhir/package/guide.ts';
import type { GuidePackage, PackagedResource } from '../fhir/package/read-package.ts';
import type { UnusedParameter } from '../fhir/search/guide-parameters.ts';
import { markGuidesChanged } from './conformance-mark.ts';
import { guideInsertion, guideRemoval } from './guide-rows.ts';
import type { OpenStore } from './open.ts';
import type { Actor, Statement } from './store.ts';

export interface GuideKeeping {
  readonly store: OpenStore;
  readonly conformance: Conformance;
  readonly clock: Clock;
  readonly actor: Actor;
}

/** What became of a package, for the person who added it. */
export interface Installation {
  /** False when the same guide was there already; nothing was written. */
  readonly isNew: boolean;
  /** Dependencies that are not installed, `name@version`. */
  readonly missing: readonly string[];
  readonly unusedParameters: readonly UnusedParameter[];
  /** Profiles that cannot be checked, with the reason; perhaps because a dependency is missing. */
  readonly unusableProfiles: readonly { readonly url: string; readonly why: string }[];
}

/**
 * @throws Fault unprocessable when a resource of the package is not what its type says, conflict when another package
 *   of that name and version is installed
 */
export async function installGuide(keeping: GuideKeeping, guide: GuidePackage): Promise<Installation> {
  const { store, conformance, clock } = keeping;
  await store.refresh();
  const artefacts = guide.resources.map((resource) => artefactFrom(guide, resource));
  const known = conformance.guides.find((other) => labelOf(other) === labelOf(guide));
  if (known && known.digest !== guide.digest) throw differs(guide);
  if (!known) refuseMalformed(conformance, artefacts);
  const others = conformance.guides.filter((other) => other !== known);
  const prepared = conformance.prepare([...others, { ...guide, artefacts }]);
  if (!known) {
    const rows = guideInsertion(guide, clock.real().epochMilliseconds);
    await change(keeping, 'guide-add', labelOf(guide), rows);
  }
  const own = new Set(artefacts.map(({ url }) => url));
  return {
    isNew: !known,
    missing: missingDependencies(guide, others),
    unusedParameters: prepared.unusedParameters.filter(({ url }) => own.has(url)),
    unusableProfiles: unusable(prepared, artefacts),
  };
}

/** @throws Fault not-found, or conflict when another installed guide needs it */
export async function removeGuide(keeping: GuideKeeping, name: string, version: string): Promise<void> {
  const { store, conformance } = keeping;
  await store.refresh();
  const label = labelOf({ name, version });
  if (!conformance.guides.some((guide) => labelOf(guide) === label)) {
    throw new Fault('not-found', `${label} is not installed.`);
  }
  const needing = dependents({ name, version }, conformance.guides);
  if (needing.length > 0) {
    throw new Fault('conflict', `${label} is needed by ${needing.map(labelOf).join(', ')}; remove that first.`);
  }
  await change(keeping, 'guide-remove', label, guideRemoval(name, version));
}

async function change({ store, actor }: GuideKeeping, what: string, label: string, rows: Statement[]): Promise<void> {
  await store.commit(actor, [], [...rows, markGuidesChanged()]);
  store.audit({ actor, interaction: what, action: 'E', status: 200, query: label });
  await store.refresh();
}

function artefactFrom(guide: GuidePackage, { type, url, version, constrains, text }: PackagedResource): Artefact {
  return { type, url, version, constrains, guide: labelOf(guide), read: () => JSON.parse(text) as Resource };
}

/** Definitions with members of the wrong type could make validation and search fail later, when nobody expects it. */
function refuseMalformed(conformance: Conformance, artefacts: readonly Artefact[]): void {
  for (const artefact of artefacts) {
    const [wrong] = conformance
      .validate(artefact.read())
      .filter(({ severity, code }) => severity === 'error' && code === 'structure');
    if (!wrong) continue;
    const { expression: [expression] = [] } = wrong;
    const why = `${artefact.type} ${artefact.url} is malformed. ${wrong.details?.text ?? ''}`;
    throw new Fault('unprocessable', `The package cannot be installed: ${why}`, {
      code: 'structure',
      ...(expression === undefined ? {} : { expression }),
    });
  }
}

function unusable({ definitions }: Prepared, artefacts: readonly Artefact[]): Installation['unusableProfiles'] {
  return artefacts.flatMap(({ type, url, version }) => {
    if (type !== 'StructureDefinition') return [];
    try {
      definitions.structure(version === '' ? url : `${url}|${version}`);
      return [];
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { url, why: error.message };
    }
  });
}

function differs(guide: GuidePackage): Fault {
  return new Fault(
    'conflict',
    `Another package is installed as ${labelOf(guide)}, with other content. A published version never changes: find out ` +
      'which of the two is the real one, and remove the installed one first if it is not.',
  );
}
