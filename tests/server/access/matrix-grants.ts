// Every kind of grant, and what each reaches, written out by hand from docs/access.md and the files of the roles.
import { both, type GrantRow, OF_OWN, OWNED, ofCode, ofStatus, type Way } from './matrix-rules.ts';

/** What is about a patient, of the types that the matrix has. */
const ABOUT = ['Patient', 'Task', 'List', 'CareTeam', 'Observation'];
const DIRECTORY: Way = {
  may: 'rs',
  types: ['Organization', 'Practitioner', 'PractitionerRole', 'ValueSet'],
  ofAll: true,
};
const own = (may: string, types: readonly string[] | '*' = '*'): Way => ({
  may,
  types,
  only: OF_OWN,
  ofAll: types === '*',
});

const NURSE: readonly Way[] = [{ may: 'crus', types: ABOUT, only: OF_OWN, ofAll: true }, DIRECTORY];
const CHIEF: readonly Way[] = [{ may: 'cruds', types: ABOUT, only: OF_OWN, ofAll: true }, DIRECTORY];
const SELF: readonly Way[] = [{ may: 'rs', types: ABOUT, only: OF_OWN, ofAll: true }, DIRECTORY];
const PARTNER: readonly Way[] = [
  { may: 'rus', types: ['Task'], only: OWNED, ofAll: true, bySaying: true, namesNobody: true },
  { may: 'rs', types: ['Patient'], only: OF_OWN, ofAll: true },
  DIRECTORY,
];
/** What is left of a role's ways under a scope. */
const within = (ways: readonly Way[], letters: string, types?: readonly string[]): Way[] =>
  ways.map((way) => {
    const { ofAll, ...rest } = way;
    const kept =
      types === undefined || way.types === '*' ? way.types : way.types.filter((type) => types.includes(type));
    return {
      ...rest,
      types: kept,
      may: [...way.may].filter((letter) => letters.includes(letter)).join(''),
      ...(types ? {} : { ofAll: true }),
    };
  });

export const GRANTS: readonly GrantRow[] = [
  { name: 'no scope that is known', scope: 'openid profile launch', ways: [] },
  { name: 'doors only', scope: 'baton/ops baton/intake baton/metrics baton/sandbox', ways: [] },
  { name: 'letters out of order', scope: 'system/Task.sr system/*.dc', ways: [] },
  { name: 'everything', scope: 'system/*.cruds', ways: [{ may: 'cruds', types: '*', ofAll: true }] },
  { name: 'one type', scope: 'system/Task.cruds', ways: [{ may: 'cruds', types: ['Task'] }] },
  { name: 'one type, read only', scope: 'system/Task.r', ways: [{ may: 'r', types: ['Task'] }] },
  { name: 'one type, search only', scope: 'system/Task.s', ways: [{ may: 's', types: ['Task'] }] },
  { name: 'one type, write only', scope: 'system/Task.cud', ways: [{ may: 'cud', types: ['Task'] }] },
  { name: 'all types, read only', scope: 'system/*.rs', ways: [{ may: 'rs', types: '*', ofAll: true }] },
  { name: 'v1 system read', scope: 'system/*.read', ways: [{ may: 'rs', types: '*', ofAll: true }] },
  { name: 'v1 system write', scope: 'system/Task.write', ways: [{ may: 'cud', types: ['Task'] }] },
  { name: 'v1 everything', scope: 'system/*.*', ways: [{ may: 'cruds', types: '*', ofAll: true }] },
  { name: 'v1 patient read', scope: 'patient/*.read', patient: 'own', ways: [own('rs')] },
  { name: 'v1 patient write', scope: 'patient/Task.write', patient: 'own', ways: [own('cud', ['Task'])] },
  { name: 'a patient, one type', scope: 'patient/Task.rs', patient: 'own', ways: [own('rs', ['Task'])] },
  { name: 'a patient, everything', scope: 'patient/*.cruds', patient: 'own', ways: [own('cruds')] },
  { name: 'a patient, and none in context', scope: 'patient/*.cruds', ways: [] },
  { name: 'a user, and nobody', scope: 'user/*.cruds', ways: [] },
  {
    name: 'by status',
    scope: 'system/Task.cruds?status=requested',
    ways: [{ may: 'cruds', types: ['Task'], only: ofStatus('requested'), bySaying: true }],
  },
  {
    name: 'by code',
    scope: 'system/Task.cruds?code=urn:matrix|call',
    ways: [{ may: 'cruds', types: ['Task'], only: ofCode('call'), bySaying: true }],
  },
  { name: 'by what is unknown', scope: 'system/Task.cruds?colour=red', ways: [] },
  {
    name: 'a patient, by status that none of hers has',
    scope: 'patient/Task.cruds?status=failed',
    patient: 'own',
    ways: [{ may: 'cruds', types: ['Task'], only: both(OF_OWN, ofStatus('failed')), bySaying: true }],
  },
  {
    name: 'mixed: a patient, and the directory',
    scope: 'patient/*.rs system/Organization.cruds',
    patient: 'own',
    ways: [own('rs'), { may: 'cruds', types: ['Organization'] }],
  },
  {
    name: 'mixed: reads all tasks, changes those of a patient',
    scope: 'system/Task.rs patient/Task.cud',
    patient: 'own',
    ways: [{ may: 'rs', types: ['Task'] }, own('cud', ['Task'])],
  },
  {
    name: 'mixed: changes all tasks, reads those of a patient',
    scope: 'system/Task.cud patient/Task.rs',
    patient: 'own',
    ways: [{ may: 'cud', types: ['Task'] }, own('rs', ['Task'])],
  },
  { name: 'a case manager', scope: 'user/*.cruds', user: 'Practitioner/nurse', ways: NURSE, breaksGlass: true },
  {
    name: 'a case manager by v1',
    scope: 'user/*.read',
    user: 'Practitioner/nurse',
    ways: within(NURSE, 'rs'),
    breaksGlass: true,
  },
  {
    name: 'a case manager, one type',
    scope: 'user/Task.cruds',
    user: 'Practitioner/nurse',
    ways: within(NURSE, 'cruds', ['Task']),
    breaksGlass: true,
  },
  {
    name: "a case manager with an application's scope",
    scope: 'system/*.cruds',
    user: 'Practitioner/nurse',
    ways: NURSE,
    breaksGlass: true,
  },
  {
    name: 'a case manager, launched for a patient whom she does not know',
    scope: 'patient/*.cruds',
    user: 'Practitioner/nurse',
    patient: 'other',
    // Every type may be asked for, and nothing is both hers and the other patient's.
    ways: NURSE.map((way) => ({ ...way, only: () => false })),
    breaksGlass: true,
  },
  { name: 'a supervisor', scope: 'user/*.cruds', user: 'Practitioner/chief', ways: CHIEF, breaksGlass: true },
  { name: 'a patient herself', scope: 'user/*.cruds', user: 'Patient/own', ways: SELF },
  {
    name: 'a patient herself, by patient/',
    scope: 'patient/*.rs',
    user: 'Patient/own',
    ways: within(SELF, 'rs').map((way) => ({ ...way, only: OF_OWN })),
  },
  { name: 'a caregiver', scope: 'user/*.cruds', user: 'RelatedPerson/daughter', ways: SELF },
  { name: 'a community partner', scope: 'user/*.cruds', user: 'Practitioner/pantry', ways: PARTNER },
  { name: 'somebody without a role', scope: 'user/*.cruds system/*.cruds', user: 'Practitioner/nobody', ways: [] },
];
