// Which patients a person may open in an application, and how a person finds them. Only whom the person's roles let be
// read is found.

import type { Encounter, HumanName, Patient, RelatedPerson } from '@medplum/fhirtypes';
import { fhirBase } from '../../fhir/base-url.ts';
import { parseExact } from '../../fhir/exact-json.ts';
import { isId, type Pairs } from '../../fhir/request-url.ts';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import { parseSearch } from '../../fhir/search/parse.ts';
import type { Condition } from '../../fhir/search/query.ts';
import type { Store } from '../../store/store.ts';

export interface PatientChoice {
  readonly id: string;
  readonly name: string;
  readonly birthDate?: string | undefined;
  /** The first identifier, so that people of one name can be told apart. */
  readonly identifier?: string | undefined;
}

export interface EncounterChoice {
  readonly id: string;
  readonly text: string;
}

export interface PatientDirectory {
  /**
   * @param user fhirUser of the person, e.g. `Practitioner/12`
   * @param text a name or an identifier
   * @returns at most 20; `more` says that there are others
   */
  findPatients(user: string, text: string): Promise<{ patients: readonly PatientChoice[]; more: boolean }>;
  mayOpen(user: string, patientId: string): Promise<boolean>;
  /** The only patient the person can ever mean: oneself, or whom a related person is related to. `mayOpen` says whether. */
  onlyPatientOf(user: string): Promise<string | undefined>;
  describe(patientId: string): Promise<PatientChoice | undefined>;
  isEncounterOf(patientId: string, encounterId: string): Promise<boolean>;
  /** The patient's latest encounters, at most 20. */
  encountersOf(user: string, patientId: string): Promise<readonly EncounterChoice[]>;
}

const SHOWN = 20;

/** The condition that a resource of the type fulfils which this person may open. */
export type VisiblePatients = (user: string, type: 'Patient' | 'Encounter') => Promise<Condition>;

export interface PatientDirectoryParts {
  readonly store: Pick<Store, 'read' | 'find' | 'search'>;
  readonly parameters: SearchParameters;
  readonly baseUrl: () => string;
  readonly visiblePatients: VisiblePatients;
}

export function createPatientDirectory(parts: PatientDirectoryParts): PatientDirectory {
  const { store, parameters, baseUrl, visiblePatients } = parts;
  const search = async <T extends object = Patient>(
    user: string,
    pairs: Pairs,
    type: 'Patient' | 'Encounter' = 'Patient',
  ): Promise<T[]> => {
    const query = parseSearch(parameters, type, pairs, { handling: 'strict', baseUrl: fhirBase(baseUrl()) });
    const conditions = [...query.conditions, await visiblePatients(user, type)];
    const { items } = await store.search({ ...query, conditions, count: SHOWN + 1, total: 'none' });
    return items.map(({ content }) => parseExact<T>(content));
  };
  const read = async <T>(type: string, id: string): Promise<T | undefined> => {
    const version = await store.read(type, id);
    return version && version.operation !== 'delete' ? parseExact<T & object>(version.content) : undefined;
  };
  const onlyPatientOf = async (user: string): Promise<string | undefined> => {
    const [type = '', id = ''] = user.split('/');
    if (type === 'Patient') return id;
    if (type !== 'RelatedPerson') return undefined;
    const person = await read<RelatedPerson>(type, id);
    return person?.patient?.reference?.replace(/^Patient\//, '');
  };
  const mayOpen = async (user: string, patientId: string): Promise<boolean> =>
    isId(patientId) && (await search(user, [['_id', patientId]])).length > 0;
  return {
    onlyPatientOf,
    mayOpen,
    async findPatients(user, text) {
      const words = text.trim().split(/\s+/).filter(Boolean).slice(0, 5);
      if (words.length === 0) return { patients: [], more: false };
      const byName = words.map((word) => ['name', escaped(word)] as const);
      const byIdentifier = [['identifier', escaped(text.trim())] as const];
      const found = new Map<string, PatientChoice>();
      for (const pairs of [byIdentifier, byName]) {
        for (const patient of await search(user, pairs)) found.set(patient.id ?? '', choiceOf(patient));
      }
      const patients = [...found.values()].sort((a, b) => a.name.localeCompare(b.name, 'en'));
      return { patients: patients.slice(0, SHOWN), more: patients.length > SHOWN };
    },
    async describe(patientId) {
      const patient = await read<Patient>('Patient', patientId);
      return patient && choiceOf(patient);
    },
    async isEncounterOf(patientId, encounterId) {
      const encounter = await read<Encounter>('Encounter', encounterId);
      return encounter?.subject?.reference === `Patient/${patientId}`;
    },
    async encountersOf(user, patientId) {
      if (!(await mayOpen(user, patientId))) return [];
      const latest = [
        ['patient', patientId],
        ['_sort', '-date'],
      ] as const;
      const matches = await search<Encounter>(user, latest, 'Encounter');
      const start = (encounter: Encounter) => encounter.period?.start ?? '';
      return matches
        .sort((a, b) => start(b).localeCompare(start(a)))
        .slice(0, SHOWN)
        .map((encounter) => ({ id: encounter.id ?? '', text: encounterText(encounter) }));
    },
  };
}

/** What separates values in a search stands for itself here. */
const escaped = (text: string) => text.replace(/[\\$,|]/g, '\\$&');

function choiceOf(patient: Patient): PatientChoice {
  return {
    id: patient.id ?? '',
    name: nameOf(patient.name) ?? 'Unnamed patient',
    birthDate: patient.birthDate,
    identifier: patient.identifier?.find(({ value }) => value !== undefined)?.value,
  };
}

function nameOf(names: readonly HumanName[] | undefined): string | undefined {
  const name = names?.find(({ use }) => use === 'official' || use === 'usual') ?? names?.[0];
  const parts = name?.text ?? [...(name?.given ?? []), name?.family].filter(Boolean).join(' ');
  return parts === '' ? undefined : parts;
}

function encounterText({ period, type, class: kind, status }: Encounter): string {
  const what = type?.[0]?.text ?? type?.[0]?.coding?.[0]?.display ?? kind?.display ?? kind?.code ?? 'Encounter';
  return [period?.start?.slice(0, 10), what, status].filter(Boolean).join(', ');
}
