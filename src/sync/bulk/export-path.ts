// What to export: the smallest that has what flows. https://hl7.org/fhir/uv/bulkdata/export.html#endpoints
import type { RunContext } from '../context.ts';

/** Below the base URL, with its query; undefined when the server offers nothing that fits. */
export function exportPath({ connection, capability }: RunContext, types: readonly string[]): string | undefined {
  const query = new URLSearchParams({ _type: types.join(','), _outputFormat: 'application/fhir+ndjson' });
  const { patients } = connection;
  const prefix =
    patients?.kind === 'group' ? groupPath(patients.id) : patients?.kind === 'query' ? undefined : everybody();
  return prefix === undefined ? undefined : `${prefix}$export?${query}`;

  /** Patients of another scope are not asked for: more would come in than is meant to. */
  function groupPath(id: string): string | undefined {
    return capability.exports('Group') ? `Group/${encodeURIComponent(id)}/` : undefined;
  }

  function everybody(): string | undefined {
    const ofPatients = capability.exports('Patient');
    if (ofPatients && types.every((type) => !BESIDE_PATIENTS.has(type))) return 'Patient/';
    return capability.exports('system') ? '' : ofPatients ? 'Patient/' : undefined;
  }
}

/** Not in the compartment of a patient, so that servers leave them out of their exports. */
const BESIDE_PATIENTS = new Set(['Organization', 'Practitioner', 'PractitionerRole', 'Location', 'HealthcareService']);
