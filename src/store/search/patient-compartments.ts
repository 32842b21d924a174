// Whose record a resource belongs to, from the search rows it has anyway: no FHIRPath, no content.
// https://hl7.org/fhir/R4/compartmentdefinition-patient.html
import type { Resource } from '@medplum/fhirtypes';
import type { IndexRows } from '../../fhir/search/index-rows.ts';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import type { Sql } from '../sql.ts';
import type { PatientsOfResource } from './engine.ts';
import type { ParameterIds } from './parameter-ids.ts';

/** A resource that is about more patients than this is about no patient in particular. */
const MOST_PATIENTS = 20;
/** Ids in one statement: few sizes, so that few texts exist. */
const SIZES = [1, 8, 64, 256] as const;
const MOST = 256;

export class PatientCompartments {
  readonly #parameters: SearchParameters;
  readonly #ids: ParameterIds;
  readonly #byType = new Map<string, ReadonlySet<number>>();
  readonly #texts = new Map<string, string>();

  constructor(parameters: SearchParameters, ids: ParameterIds) {
    this.#parameters = parameters;
    this.#ids = ids;
  }

  /** @param rows what the resource is indexed by */
  patientsIn({ resourceType, id }: Resource, rows: IndexRows): string[] {
    const parameters = this.#of(resourceType);
    const patients = new Set(resourceType === 'Patient' && id !== undefined ? [id] : []);
    if (parameters.size === 0) return [...patients];
    for (const [parameter, , type, target] of rows.reference) {
      if (type === 'Patient' && parameters.has(parameter as number)) patients.add(String(target));
    }
    return [...patients].slice(0, MOST_PATIENTS);
  }

  /** Whether any of the rows may put a resource of the type into a compartment. */
  areNamedIn(type: string, rows: IndexRows): boolean {
    const parameters = this.#of(type);
    return rows.reference.some(([parameter]) => parameters.has(parameter as number));
  }

  async patientsOf(sql: Sql, type: string, ids: readonly string[]): Promise<PatientsOfResource[]> {
    const parameters = this.#of(type);
    if (parameters.size === 0) return [];
    const found = new Map<string, { id: string; version: number; patients: string[] }>();
    for (let start = 0; start < ids.length; start += MOST) {
      const some = ids.slice(start, start + MOST);
      const size = SIZES.find((candidate) => candidate >= some.length) ?? MOST;
      const padded = [...some, ...Array.from({ length: size - some.length }, () => some[0] ?? '')];
      for (const row of await sql.all(this.#text(type, parameters, size), [type, ...padded])) {
        const id = String(row.id);
        const known = found.get(id) ?? { id, version: Number(row.version), patients: type === 'Patient' ? [id] : [] };
        found.set(id, known);
        const patient = row.patient === null ? undefined : String(row.patient);
        const isMore = patient !== undefined && !known.patients.includes(patient);
        if (isMore && known.patients.length < MOST_PATIENTS) known.patients.push(patient);
      }
    }
    return [...found.values()];
  }

  #of(type: string): ReadonlySet<number> {
    const known = this.#byType.get(type);
    if (known) return known;
    const codes = this.#parameters.patientCompartment(type) ?? [];
    const made = new Set<number>();
    for (const code of codes) {
      const definition = this.#parameters.get(type, code);
      if (definition?.kind === 'reference') made.add(this.#ids.idOf({ type: definition.type, code }));
    }
    this.#byType.set(type, made);
    return made;
  }

  #text(type: string, parameters: ReadonlySet<number>, size: number): string {
    const key = `${type} ${size}`;
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    // The parameters are Baton's own numbers; as literals they let the database see how few they are.
    const text = `SELECT r.id, r.version, x.target_id AS patient FROM resource r
      LEFT JOIN search_reference x ON x.rid = r.rid AND x.parameter IN (${[...parameters].join(', ')})
        AND x.target_type = 'Patient'
      WHERE r.type = ? AND r.id IN (${Array.from({ length: size }, () => '?').join(', ')}) ORDER BY r.rid, x.target_id`;
    this.#texts.set(key, text);
    return text;
  }
}
