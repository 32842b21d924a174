// A stored version as its vendor shows it.
import type { Resource } from '@medplum/fhirtypes';
import type { Ehr } from './ehr.ts';
import type { Version } from './records.ts';

/** JSON text of a version that is no delete. */
export function textOf(ehr: Ehr, version: Version): string {
  const versions = ehr.abilities.has('versions');
  if (ehr.knobs.unknownElements) return JSON.stringify(withUnknown(shownOf(ehr, version, versions)));
  if (versions !== ehr.rules.versions) return JSON.stringify(shownOf(ehr, version, versions));
  version.text ??= JSON.stringify(shownOf(ehr, version, versions));
  return version.text;
}

function shownOf({ rules }: Ehr, version: Version, versions: boolean): Record<string, unknown> {
  const { meta, ...rest } = version.resource as Resource;
  const { hides = [], absent = [] } = rules.types[version.type] ?? {};
  const stamp = versions ? { versionId: String(version.number), lastUpdated: version.lastUpdated } : {};
  const shown: Record<string, unknown> = { ...rest };
  const fullMeta = { ...meta, ...stamp };
  if (Object.keys(fullMeta).length > 0) shown.meta = fullMeta;
  for (const element of hides) delete shown[element];
  for (const element of absent) addAbsent(shown, element);
  return shown;
}

const ABSENT_REASON = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';
const UNKNOWN = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: 'unknown', display: 'Unknown' }],
};

/** Says of an element that is not there that it is unknown. */
function addAbsent(shown: Record<string, unknown>, element: string): void {
  if (element === 'dataAbsentReason') {
    const said = Object.keys(shown).some((key) => /^(value[A-Z]|component$|hasMember$|dataAbsentReason$)/.test(key));
    if (!said) shown.dataAbsentReason = UNKNOWN;
    return;
  }
  if (shown[element] !== undefined || shown[`_${element}`] !== undefined) return;
  shown[`_${element}`] = { extension: [{ url: ABSENT_REASON, valueCode: 'unknown' }] };
}

const NEW_EXTENSION = 'https://ehr.example/fhir/StructureDefinition/new-in-this-release';

/** An extension nobody heard of, and an element that is not in R4. */
function withUnknown(shown: Record<string, unknown>): Record<string, unknown> {
  const extensions = Array.isArray(shown.extension) ? shown.extension : [];
  const others = extensions.filter((each: { url?: string }) => each.url !== NEW_EXTENSION);
  return { ...shown, extension: [...others, { url: NEW_EXTENSION, valueString: 'added' }], [UNKNOWN_ELEMENT]: true };
}

/** Not in R4; servers under the knob send it, and take it back with a write. */
export const UNKNOWN_ELEMENT = 'newInThisRelease';
