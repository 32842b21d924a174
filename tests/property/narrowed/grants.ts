// Narrowed grants as data, and what each of them reaches: a plain reading of SMART's scopes, of R4's patient compartment and
// of docs/access.md, without any of Baton's code.
import type { Resource } from '@medplum/fhirtypes';
import fc, { type Arbitrary } from 'fast-check';
import { CODES } from '../oracle/pools.ts';
import { keyOf, type Population } from '../oracle/population.ts';
import { targetOf } from '../oracle/references.ts';
import { findParameter } from '../oracle/search-definitions.ts';
import { CARE_TYPES, PATIENTS, STAFF, TYPES } from './people.ts';

export interface Scope {
  readonly level: 'patient' | 'user' | 'system';
  readonly type: string;
  readonly letters: string;
  readonly constraint?: Constraint;
}

interface Constraint {
  readonly text: string;
  readonly holds: (resource: Loose, population: Population) => boolean;
}

export interface PlainGrant {
  readonly scopes: readonly Scope[];
  readonly patient?: string;
  /** `Practitioner/r0` */
  readonly user?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: resources are looked into as JSON
type Loose = any;

export function scopeText({ scopes }: PlainGrant): string {
  return scopes
    .map(
      ({ level, type, letters, constraint }) => `${level}/${type}.${letters}${constraint ? `?${constraint.text}` : ''}`,
    )
    .join(' ');
}

// ---- what a grant reaches

/** https://hl7.org/fhir/R4/compartmentdefinition-patient.html, as search parameters. */
const COMPARTMENT: Readonly<Record<string, readonly string[]>> = {
  Patient: ['link'],
  Task: ['patient', 'focus'],
  CarePlan: ['patient', 'performer'],
  Condition: ['patient', 'asserter'],
  Observation: ['subject', 'performer'],
  CareTeam: ['patient', 'participant'],
  Group: ['member'],
  List: ['subject', 'source'],
  Provenance: ['patient'],
  Encounter: ['patient'],
  EpisodeOfCare: ['patient'],
  Communication: ['subject', 'sender', 'recipient'],
  RelatedPerson: ['patient'],
};

/** Not part of `$compartment` in the roles' files. */
const NAMED_ONLY = ['Group', 'AuditEvent'];
const OPEN_TASK = ['requested', 'received', 'accepted', 'ready', 'in-progress', 'on-hold'];
const OPEN_EPISODE = ['planned', 'waitlist', 'active', 'onhold'];
const OPEN_ENCOUNTER = ['planned', 'arrived', 'triaged', 'in-progress', 'onleave'];

function localOf(reference: Loose): string | undefined {
  const { local } = targetOf(reference?.reference ?? '');
  return local && `${local.type}/${local.id}`;
}

/** Ids of the patients in whose compartment the resource is. */
function compartmentsOf(population: Population, resource: Resource): string[] {
  const codes = COMPARTMENT[resource.resourceType] ?? [];
  const found = codes.flatMap((code) => {
    const parameter = findParameter(resource.resourceType, code);
    if (!parameter) throw new Error(`${resource.resourceType} has no parameter ${code}.`);
    return population.values(resource, parameter).flatMap(({ value }) => localOf(value) ?? []);
  });
  const patients = found.flatMap((literal) => /^Patient\/(.+)$/.exec(literal)?.[1] ?? []);
  return resource.resourceType === 'Patient' && resource.id ? [resource.id, ...patients] : patients;
}

/** What a person's roles reach. */
interface Reach {
  readonly patients: ReadonlySet<string>;
  readonly allows: (resource: Resource) => boolean;
}

function reachOfUser(population: Population, user: string): Reach {
  const all: Loose[] = [...population.resources];
  const [type, id] = user.split('/');
  const here = (patient: Loose) => {
    const key = localOf(patient);
    return key?.startsWith('Patient/') && population.get('Patient', key.slice(8)) ? [key.slice(8)] : [];
  };
  const member = STAFF.find((each) => type === 'Practitioner' && each.id === id);
  const home = `Organization/${member?.organization}`;
  const isMine = (reference: Loose) => [user, home].includes(localOf(reference) ?? '');
  const isMyself = (reference: Loose) => localOf(reference) === user;
  const of = (wanted: string) => all.filter(({ resourceType }) => resourceType === wanted);
  const teams = () =>
    of('CareTeam')
      .filter(({ status, participant = [] }) => status === 'active' && participant.some((p: Loose) => isMine(p.member)))
      .flatMap(({ subject }) => here(subject));
  const record = (patients: ReadonlySet<string>): Reach => ({
    patients,
    allows: (resource) =>
      !(resource.resourceType in COMPARTMENT) ||
      (!NAMED_ONLY.includes(resource.resourceType) &&
        compartmentsOf(population, resource).some((one) => patients.has(one))),
  });
  if (type === 'Patient') return record(new Set(population.get('Patient', id ?? '') ? [id ?? ''] : []));
  if (type === 'RelatedPerson') {
    const related = of('RelatedPerson').filter((one) => one.id === id && one.active === true);
    return record(new Set(related.flatMap(({ patient }) => here(patient))));
  }
  switch (member?.role) {
    case 'case-manager': {
      const episodes = of('EpisodeOfCare')
        .filter(({ status, careManager }) => OPEN_EPISODE.includes(status) && isMyself(careManager))
        .flatMap(({ patient }) => here(patient));
      const tasks = of('Task')
        .filter(({ status, owner }) => OPEN_TASK.includes(status) && isMyself(owner))
        .flatMap((task) => here(task.for));
      return record(new Set([...teams(), ...episodes, ...tasks]));
    }
    case 'supervisor': {
      const isHome = (reference: Loose) => localOf(reference) === home;
      const own = of('Patient').filter(({ managingOrganization }) => isHome(managingOrganization));
      const episodes = of('EpisodeOfCare').filter(({ managingOrganization }) => isHome(managingOrganization));
      const encounters = of('Encounter').filter(({ serviceProvider }) => isHome(serviceProvider));
      return record(
        new Set([
          ...teams(),
          ...own.map((one) => one.id),
          ...episodes.flatMap(({ patient }) => here(patient)),
          ...encounters.flatMap(({ subject }) => here(subject)),
        ]),
      );
    }
    case 'physician': {
      const own = of('Patient').filter(({ generalPractitioner = [] }) => generalPractitioner.some(isMine));
      const encounters = of('Encounter').filter(
        ({ status, participant = [] }) =>
          OPEN_ENCOUNTER.includes(status) && participant.some((p: Loose) => isMyself(p.individual)),
      );
      return record(
        new Set([...teams(), ...own.map((one) => one.id), ...encounters.flatMap(({ subject }) => here(subject))]),
      );
    }
    case 'community-partner': {
      const tasks = of('Task').filter(({ owner }) => isMine(owner));
      const open = tasks.filter(({ status }) => OPEN_TASK.includes(status));
      const patients = new Set(open.flatMap((task) => here(task.for)));
      const allows = (resource: Loose) => {
        if (resource.resourceType === 'Task') return isMine(resource.owner);
        if (resource.resourceType === 'Communication') {
          return isMine(resource.sender) || (resource.recipient ?? []).some(isMine);
        }
        if (resource.resourceType !== 'Patient') return !(resource.resourceType in COMPARTMENT);
        return compartmentsOf(population, resource).some((one) => patients.has(one));
      };
      return { patients, allows };
    }
    default:
      return { patients: new Set(), allows: () => false };
  }
}

/** Patients whose records the person's roles open. */
export function patientsOfUser(population: Population, user: string): ReadonlySet<string> {
  return reachOfUser(population, user).patients;
}

/** Keys of all that the grant may read and find. */
export function reached(population: Population, { scopes, patient, user }: PlainGrant): Set<string> {
  const person = user === undefined ? undefined : reachOfUser(population, user);
  const context = patient ?? /^Patient\/(.+)$/.exec(user ?? '')?.[1];
  const isReached = (resource: Resource) =>
    scopes.some(({ level, type, constraint }) => {
      if (type !== '*' && type !== resource.resourceType) return false;
      if (level === 'user' && !person) return false;
      if (level === 'patient' && (!context || !compartmentsOf(population, resource).includes(context))) return false;
      if (constraint && !constraint.holds(resource, population)) return false;
      return person === undefined || person.allows(resource);
    });
  return new Set(population.resources.filter(isReached).map(keyOf));
}

/**
 * What says whom a person knows and as what the person works, and the patient in context: they count also where a scope
 * hides them.
 */
export function vouching(population: Population, { user, patient }: PlainGrant): Set<string> {
  const context = patient === undefined ? [] : [`Patient/${patient}`];
  if (user === undefined) return new Set(context);
  const { allows } = reachOfUser(population, user);
  const types = ['Patient', 'CareTeam', 'EpisodeOfCare', 'Encounter', 'Task', 'RelatedPerson', 'PractitionerRole'];
  const vouches = population.resources.filter((one) => types.includes(one.resourceType) && allows(one));
  return new Set([...context, ...vouches.map(keyOf)]);
}

// ---- arbitrary grants

const hasCode = (concepts: Loose, system: string | undefined, code: string) =>
  (concepts ?? []).some((each: Loose) =>
    (each.coding ?? [each]).some((one: Loose) => one.code === code && (system === undefined || one.system === system)),
  );

const label = (element: 'tag' | 'security'): Arbitrary<Constraint> =>
  fc.constantFrom('a', 'b', 'final').map((code) => ({
    text: `_${element}=urn:s|${code}`,
    holds: ({ meta }) => hasCode(meta?.[element], 'urn:s', code),
  }));

const category: Arbitrary<Constraint> = fc.constantFrom(...CODES.filter((code) => /^\w+$/.test(code))).map((code) => ({
  text: `category=${code}`,
  holds: (resource) => hasCode(resource.category, undefined, code),
}));

const ofPatient = (element: string): Arbitrary<Constraint> =>
  fc.constantFrom(...PATIENTS).map((id) => ({
    text: `patient=Patient/${id}`,
    holds: (resource) => localOf(resource[element]) === `Patient/${id}`,
  }));

const ofStatus = (...given: readonly string[]): Arbitrary<Constraint> =>
  fc.subarray([...given], { minLength: 1 }).map((statuses) => ({
    text: `status=${statuses.join(',')}`,
    holds: ({ status }) => statuses.includes(status),
  }));

const CONSTRAINTS: Readonly<Record<string, readonly Arbitrary<Constraint>[]>> = {
  Task: [ofStatus('requested', 'completed', 'draft'), ofPatient('for')],
  Observation: [ofStatus('final', 'amended'), category, ofPatient('subject')],
  Condition: [category, ofPatient('subject')],
  CarePlan: [category, ofStatus('active')],
};

/** @param letters of every scope: reading and searching reach the same, so that one smaller store stands for both */
export function grantArbitrary(letters: string): Arbitrary<PlainGrant> {
  const plain = (level: Scope['level'], types: readonly string[]) =>
    fc
      .subarray([...types], { minLength: 1, maxLength: 6 })
      .map((some) => some.map((type): Scope => ({ level, type, letters })));
  const every = (level: Scope['level']) => fc.constant<Scope[]>([{ level, type: '*', letters }]);
  const constrained = (level: Scope['level']) =>
    fc.oneof(
      fc
        .constantFrom(...Object.keys(CONSTRAINTS))
        .chain((type) =>
          fc
            .oneof(...(CONSTRAINTS[type] ?? []), label('security'))
            .map((constraint): Scope[] => [{ level, type, letters, constraint }]),
        ),
      fc
        .oneof(label('tag'), label('security'))
        .map((constraint): Scope[] => [{ level, type: '*', letters, constraint }]),
    );
  const patient = fc.constantFrom(...PATIENTS);
  const ofPatientContext = fc.record({
    scopes: fc.oneof(every('patient'), plain('patient', CARE_TYPES), constrained('patient')),
    patient,
  });
  const ofApplication = fc.record({ scopes: fc.oneof(plain('system', TYPES), constrained('system')) });
  const mixed = fc
    .tuple(
      fc.oneof(every('patient'), plain('patient', CARE_TYPES)),
      fc.oneof(plain('system', TYPES), constrained('system')),
      patient,
    )
    .map(([one, other, id]) => ({ scopes: [...one, ...other], patient: id }));
  const user = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...STAFF.map(({ id }) => `Practitioner/${id}`)) },
    { weight: 1, arbitrary: patient.map((id) => `Patient/${id}`) },
    { weight: 1, arbitrary: fc.constantFrom('RelatedPerson/r0', 'RelatedPerson/r1') },
  );
  const ofUser = fc.record({
    scopes: fc.oneof(every('user'), every('user'), every('system'), plain('user', TYPES), constrained('user')),
    user,
  });
  const launched = fc.record({ scopes: fc.oneof(every('patient'), plain('patient', CARE_TYPES)), patient, user });
  return fc.oneof(
    { weight: 3, arbitrary: ofPatientContext },
    { weight: 2, arbitrary: ofApplication },
    { weight: 2, arbitrary: mixed },
    { weight: 5, arbitrary: ofUser },
    { weight: 1, arbitrary: launched },
  );
}
