// Which patients a person may open in an application. The one place that decides it for launches; rules about roles and
// care teams belong behind this interface.
import type { Encounter, HumanName, Patient, RelatedPerson } from '@medplum/fhirtypes';
import { asFault } from '../../fault.ts';
import { parseExact } from '../../fhir/exact-json.ts';
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
  /** The only patient the person can ever mean: oneself, or whom a related person is related to. */
  onlyPatientOf(user: string): Promise<string | undefined>;
  describe(patientId: string): Promise<PatientChoice | undefined>;
  isEncounterOf(patientId: string, encounterId: string): Promise<boolean>;
  /** The patient's latest encounters, at most 20. */
  encountersOf(user: string, patientId: string): Promise<readonly EncounterChoice[]>;
}

const SHOWN = 20;

export function createPatientDirectory(store: Pick<Store, 'read' | 'find'>): PatientDirectory {
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
  const isClinician = (user: string) => /^Practitioner(Role)?\//.test(user);
  const mayOpen = async (user: string, patientId: string): Promise<boolean> => {
    if (!isClinician(user)) return (await onlyPatientOf(user)) === patientId;
    return (await read<Patient>('Patient', patientId)) !== undefined;
  };
  return {
    onlyPatientOf,
    mayOpen,
    async findPatients(user, text) {
      const words = text.trim().split(/\s+/).filter(Boolean).slice(0, 5);
      if (!isClinician(user) || words.length === 0) return { patients: [], more: false };
      const byName = words.map((word) => ['name', escaped(word)]);
      const byIdentifier = [['identifier', escaped(text.trim())]];
      const found = new Map<string, PatientChoice>();
      for (const parameters of [byIdentifier, byName]) {
        const matches = await matching(store, parameters);
        if (matches === undefined) return { patients: [], more: true };
        for (const content of matches) {
          const patient = choiceOf(parseExact<Patient>(content));
          found.set(patient.id, patient);
        }
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
      const matches = (await store.find(`Encounter?patient=${encodeURIComponent(patientId)}`)).map(({ content }) =>
        parseExact<Encounter>(content),
      );
      const start = (encounter: Encounter) => encounter.period?.start ?? '';
      return matches
        .sort((a, b) => start(b).localeCompare(start(a)))
        .slice(0, SHOWN)
        .map((encounter) => ({ id: encounter.id ?? '', text: encounterText(encounter) }));
    },
  };
}

/** Contents of the matching patients; undefined when there are too many to look at. */
async function matching(store: Pick<Store, 'find'>, parameters: string[][]): Promise<string[] | undefined> {
  try {
    return (await store.find(`Patient?${new URLSearchParams(parameters)}`)).map(({ content }) => content);
  } catch (error) {
    if (asFault(error).kind === 'too-large') return undefined;
    throw error;
  }
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
