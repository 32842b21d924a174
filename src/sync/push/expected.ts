// Whether a received resource can be an answer to what was asked. A server that mixes up patients, types or ids is not
// believed: what it sent is kept aside for a person.
import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes';
import { damaged, damageOf } from '../../fhir/received-json.ts';
import { isFhirId, jsonOf } from '../body.ts';
import { patientsOf } from '../patients/patient-reference.ts';

/** Why not, in a sentence; undefined when it can. */
export function objection(resource: Resource, type: string): string | undefined {
  if (typeof resource.resourceType !== 'string') return `It does not say which type it is; a ${type} was expected.`;
  if (resource.resourceType !== type) return `It is a ${String(resource.resourceType).slice(0, 64)}, not a ${type}.`;
  return isFhirId(resource.id) ? undefined : 'It has no valid id.';
}

/**
 * The answer to a question about one patient, with what is about another, or about none, made unusable, so that the page
 * keeps it aside.
 * @param patient remote id of whom was asked for
 * @param base base URL of the remote, which its references may begin with
 */
export function refuseStrangers(page: Bundle, type: string, patient: string, base: string): Bundle {
  if (!page.entry) return page;
  const right = new Set([`Patient/${patient}`, `${base}/Patient/${patient}`]);
  const entry = page.entry.map((one): BundleEntry => {
    const { resource } = one;
    if (resource?.resourceType !== type || damageOf(resource)) return one;
    const about = type === 'Patient' ? [`Patient/${resource.id}`] : patientsOf(jsonOf(resource));
    if (about.some((patient) => right.has(patient))) return one;
    const why =
      about.length === 0
        ? 'It says of no patient that it is about them, although those of one were asked for.'
        : 'It is about another patient than was asked for.';
    return { ...one, resource: damaged(resource, JSON.stringify(resource), why) as Resource };
  });
  return { ...page, entry };
}
