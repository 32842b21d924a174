// Every interaction by every kind of grant, about what is the own patient's, another patient's, in nobody's record, and not
// there: the status, and that nothing of what the grant does not reach is in the answer.
import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { type Answer, type Method, type RequestExtras, serve, type TestServer } from '../serve.ts';
import { GRANTS } from './matrix-grants.ts';
import { Rules, type Subject } from './matrix-rules.ts';

let baton: TestServer;

const CARE_ROLE = 'https://baton.health/fhir/CodeSystem/care-role';
const ref = (reference: string) => ({ reference });

// ---- what there is

const MINE: Subject = { type: 'Task', id: 'mine', patient: 'own', status: 'requested', code: 'call', owned: true };
const THEIRS: Subject = { type: 'Task', id: 'theirs', patient: 'other', status: 'completed', code: 'visit' };
const ABSENT: Subject = { ...THEIRS, id: 'absent' };
const CLINIC: Subject = { type: 'Organization', id: 'north' };
const OWN: Subject = { type: 'Patient', id: 'own', patient: 'own' };
const OTHER: Subject = { type: 'Patient', id: 'other', patient: 'other' };
const LIST: Subject = { type: 'List', id: 'both' };
const SUBJECTS = [MINE, THEIRS, CLINIC];
const MARKS: readonly (readonly [Subject, string])[] = [
  [THEIRS, 'SecretTask'],
  [OTHER, 'SecretName'],
];

function bodyOf({ type, id, patient, status, code, owned }: Subject): { resourceType: string; id: string } {
  if (type === 'Organization') return { resourceType: type, id, language: 'en', name: 'Clinic' } as never;
  return {
    resourceType: type,
    id,
    language: 'en',
    status,
    intent: 'order',
    code: { coding: [{ system: 'urn:matrix', code }] },
    for: ref(`Patient/${patient}`),
    description: patient === 'own' ? 'Plain' : 'SecretTask',
    ...(owned ? { owner: ref('Organization/south') } : {}),
  } as never;
}

async function put(type: string, id: string, more: object): Promise<void> {
  const { status, text } = await baton.fhir('PUT', `/${type}/${id}`, { body: { resourceType: type, id, ...more } });
  if (status >= 300) throw new Error(text);
}

/** As it was before a change; in one commit, because there are many of them. */
async function restore(): Promise<void> {
  const { store } = baton.temp;
  const here = await store.query(
    "SELECT type, id FROM resource WHERE deleted = 0 AND type IN ('Task', 'Organization')",
  );
  const made = here.map(({ type, id }) => ({ op: 'delete', type: String(type), id: String(id) }) as const);
  const back = SUBJECTS.map((subject) => ({ op: 'update', resource: bodyOf(subject) as Resource }) as const);
  await store.commit({ reference: 'test', kind: 'service' }, [...made.filter(({ id }) => !KEPT.includes(id)), ...back]);
}

const KEPT = ['mine', 'theirs', 'north', 'south'];

/** What the server asks of the store, by name: who is hidden takes the same way as who is absent. Roles are remembered. */
const asked: string[] = [];
const WAYS = ['search', 'read', 'vread', 'history', 'commit', 'metaInUse'];

function listening(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        if (WAYS.includes(String(name))) asked.push(String(name));
        return member.apply(target, given);
      };
    },
  });
}

beforeAll(async () => {
  baton = await serve((temp) => ({ store: listening(temp.store) }));
  await put('Organization', 'north', { name: 'Clinic' });
  await put('Organization', 'south', { name: 'Pantry' });
  await put('Patient', 'own', { gender: 'male', managingOrganization: ref('Organization/north') });
  await put('Patient', 'other', {
    gender: 'female',
    name: [{ family: 'SecretName' }],
    managingOrganization: ref('Organization/south'),
  });
  for (const [id, code, organization] of [
    ['nurse', 'case-manager', 'north'],
    ['chief', 'supervisor', 'north'],
    ['pantry', 'community-partner', 'south'],
  ] as const) {
    await put('Practitioner', id, {});
    await put('PractitionerRole', id, {
      active: true,
      practitioner: ref(`Practitioner/${id}`),
      organization: ref(`Organization/${organization}`),
      code: [{ coding: [{ system: CARE_ROLE, code }] }],
    });
  }
  const participant = [{ member: ref('Practitioner/nurse') }];
  await put('CareTeam', 'team', { status: 'active', subject: ref('Patient/own'), participant });
  await put('RelatedPerson', 'daughter', { active: true, patient: ref('Patient/own') });
  await put('List', 'both', {
    status: 'current',
    mode: 'working',
    entry: [{ item: ref('Task/mine') }, { item: ref('Task/theirs') }],
  });
  // Twice, so that there is a version that is past.
  for (let round = 0; round < 2; round++) {
    for (const subject of SUBJECTS)
      await put(subject.type, subject.id, { ...bodyOf(subject), language: round ? 'en' : 'de' });
  }
});

afterAll(() => baton.close());

// ---- what is asked, and what must be answered

interface Row {
  readonly name: string;
  readonly of?: (subject: Subject) => boolean;
  readonly ask: (subject: Subject, version: string) => readonly [Method, string, RequestExtras?];
  readonly status: (rules: Rules, subject: Subject) => number;
  /** Of a search: whether the subject is found. */
  readonly found?: (rules: Rules, subject: Subject) => boolean;
  /** It may change what there is. */
  readonly writes?: boolean;
}

const at = ({ type, id }: Subject) => `/${type}/${id}`;
const isTask = ({ type }: Subject) => type === 'Task';
const allowed = (is: boolean, status = 200) => (is ? status : 403);
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
/** Read by id: what is out of reach is not there. */
const asRead = (rules: Rules, subject: Subject) =>
  rules.some('r', subject.type) ? (rules.one('r', subject) && subject.id !== 'absent' ? 200 : 404) : 403;
const asPast = (rules: Rules, subject: Subject) =>
  asRead(rules, subject) === 200 && !rules.past('r', subject.type) ? 403 : asRead(rules, subject);
const asSearch = (rules: Rules, { type }: Subject) => allowed(rules.some('s', type));
const finds = (rules: Rules, subject: Subject) => rules.one('s', subject);
const asChange = (letter: string) => (rules: Rules, subject: Subject) =>
  rules.some(letter, subject.type) ? (rules.one(letter, subject) ? 200 : 404) : 403;
const madeAs = (letter: string) => (rules: Rules, subject: Subject) =>
  allowed(rules.some(letter, subject.type) && rules.makes(letter, subject), 201);
const patientOf = ({ patient }: Subject) => (patient === 'own' ? OWN : OTHER);
const entryOf = (method: string, url: string, resource?: object, type = 'batch') => ({
  body: { resourceType: 'Bundle', type, entry: [{ request: { method, url }, ...(resource ? { resource } : {}) }] },
});
const parameters = (name: string, value: object) => ({
  body: { resourceType: 'Parameters', parameter: [{ name, ...value }] },
});
const fhirPatch = (value: string) => ({
  body: {
    resourceType: 'Parameters',
    parameter: [
      {
        name: 'operation',
        part: [
          { name: 'type', valueCode: 'replace' },
          { name: 'path', valueString: 'language' },
          { name: 'value', valueCode: value },
        ],
      },
    ],
  },
});
const newOf = (subject: Subject) => {
  const { id: _, ...body } = bodyOf(subject);
  return body;
};
/** A search that looks into what another type has. */
const alsoSearches = (type: string) => (rules: Rules, subject: Subject) =>
  allowed(rules.some('s', subject.type) && rules.some('s', type));

const ROWS: readonly Row[] = [
  { name: 'read', ask: (s) => ['GET', at(s)], status: asRead },
  { name: 'read by HEAD', ask: (s) => ['HEAD', at(s)], status: asRead },
  {
    name: 'read what is known',
    ask: (s, version) => ['GET', at(s), { headers: { 'if-none-match': `W/"${version}"` } }],
    status: (rules, s) => (asRead(rules, s) === 200 ? 304 : asRead(rules, s)),
  },
  { name: 'vread of what is current', ask: (s, version) => ['GET', `${at(s)}/_history/${version}`], status: asRead },
  {
    name: 'vread of what is past',
    ask: (s) => ['GET', `${at(s)}/_history/1`],
    status: asPast,
  },
  {
    name: 'history of one',
    ask: (s) => ['GET', `${at(s)}/_history`],
    status: asPast,
  },
  {
    name: 'history of a type',
    ask: (s) => ['GET', `/${s.type}/_history`],
    status: (rules, s) => allowed(rules.whole('s', s.type)),
  },
  { name: 'history of all', ask: () => ['GET', '/_history'], status: (rules) => allowed(rules.whole('s', '*')) },
  { name: 'search', ask: (s) => ['GET', `/${s.type}?_id=${s.id}`], status: asSearch, found: finds },
  { name: 'search of a whole type', ask: (s) => ['GET', `/${s.type}?_count=100`], status: asSearch, found: finds },
  {
    name: 'search by form',
    ask: (s) => ['POST', `/${s.type}/_search`, { headers: FORM, body: `_id=${s.id}` }],
    status: asSearch,
    found: finds,
  },
  {
    name: 'search by form and URL',
    ask: (s) => ['POST', `/${s.type}/_search?_id=${s.id}`, { headers: FORM, body: '_count=5' }],
    status: asSearch,
    found: finds,
  },
  {
    name: 'search in an entry',
    ask: (s) => ['POST', '', entryOf('GET', `${s.type}?_id=${s.id}`)],
    status: asSearch,
    found: finds,
  },
  {
    name: 'search in an entry of a transaction',
    ask: (s) => ['POST', '', entryOf('GET', `${s.type}?_id=${s.id}`, undefined, 'transaction')],
    status: asSearch,
    found: finds,
  },
  { name: 'read in an entry', ask: (s) => ['POST', '', entryOf('GET', `${s.type}/${s.id}`)], status: asRead },
  {
    name: 'search in a compartment',
    of: isTask,
    ask: (s) => ['GET', `/Patient/${s.patient}/Task?_id=${s.id}`],
    status: asSearch,
    found: finds,
  },
  {
    name: 'search in a compartment by form',
    of: isTask,
    ask: (s) => ['POST', `/Patient/${s.patient}/Task/_search`, { headers: FORM, body: `_id=${s.id}` }],
    status: asSearch,
    found: finds,
  },
  {
    name: 'search of all types',
    ask: (s) => ['GET', `/?_id=${s.id}`],
    status: (rules) => allowed(rules.some('s', '*')),
    found: (rules, s) => rules.oneOfAll('s', s),
  },
  {
    name: 'search of all types by form',
    ask: (s) => ['POST', '/_search', { headers: FORM, body: `_id=${s.id}` }],
    status: (rules) => allowed(rules.some('s', '*')),
    found: (rules, s) => rules.oneOfAll('s', s),
  },
  {
    name: 'search of several types',
    ask: (s) => ['GET', `/?_type=Task,Organization&_id=${s.id}`],
    status: (rules) => allowed((rules.some('s', 'Task') && rules.some('s', 'Organization')) || rules.some('s', '*')),
    found: finds,
  },
  {
    name: 'sort',
    of: isTask,
    ask: (s) => ['GET', `/Task?_id=${s.id}&_sort=-status,patient`],
    status: asSearch,
    found: finds,
  },
  {
    name: 'filter',
    ask: (s) => ['GET', `/${s.type}?_filter=${encodeURIComponent(`_id eq ${s.id}`)}`],
    status: asSearch,
    found: finds,
  },
  {
    name: 'list',
    of: isTask,
    ask: (s) => ['GET', `/Task?_list=both&_id=${s.id}`],
    status: alsoSearches('List'),
    found: (rules, s) => finds(rules, s) && finds(rules, LIST),
  },
  {
    name: 'chain',
    of: isTask,
    ask: (s) => ['GET', `/Task?_id=${s.id}&patient:Patient.gender=${s.patient === 'own' ? 'male' : 'female'}`],
    status: alsoSearches('Patient'),
    found: (rules, s) => finds(rules, s) && finds(rules, patientOf(s)),
  },
  {
    name: 'chain in a filter',
    of: isTask,
    ask: (s) => [
      'GET',
      `/Task?_id=${s.id}&_filter=${encodeURIComponent(`patient.gender eq ${s.patient === 'own' ? 'male' : 'female'}`)}`,
    ],
    status: alsoSearches('Patient'),
    found: (rules, s) => finds(rules, s) && finds(rules, patientOf(s)),
  },
  {
    name: 'the opposite of a chain',
    of: isTask,
    ask: (s) => [
      'GET',
      `/Task?_id=${s.id}&_filter=${encodeURIComponent(`not (patient.gender eq ${s.patient === 'own' ? 'male' : 'female'})`)}`,
    ],
    status: alsoSearches('Patient'),
    found: (rules, s) => finds(rules, s) && !finds(rules, patientOf(s)),
  },
  {
    name: 'what refers here (_has)',
    of: isTask,
    ask: (s) => ['GET', `/Patient?_id=${s.patient}&_has:Task:patient:_id=${s.id}`],
    status: (rules) => allowed(rules.some('s', 'Patient') && rules.some('s', 'Task')),
    found: (rules, s) => finds(rules, patientOf(s)) && finds(rules, s),
  },
  {
    name: 'include',
    of: isTask,
    ask: (s) => ['GET', `/Task?_id=${s.id}&_include=Task:patient`],
    status: (rules) => allowed(rules.some('s', 'Task') && rules.some('r', 'Patient')),
    found: finds,
  },
  {
    name: 'include of what is included',
    of: isTask,
    ask: (s) => ['GET', `/Task?_id=${s.id}&_include=Task:patient&_include:iterate=Patient:organization`],
    status: (rules) =>
      allowed(rules.some('s', 'Task') && rules.some('r', 'Patient') && rules.some('r', 'Organization')),
    found: finds,
  },
  {
    name: 'include of anything, leniently',
    ask: (s) => ['GET', `/${s.type}?_id=${s.id}&_include=*&_revinclude=*`, { headers: { prefer: 'handling=lenient' } }],
    status: asSearch,
    found: finds,
  },
  {
    name: 'reverse include',
    of: isTask,
    ask: (s) => ['GET', `/Patient?_id=${s.patient}&_revinclude=Task:patient`],
    status: (rules) => allowed(rules.some('s', 'Patient') && rules.some('r', 'Task')),
    found: (rules, s) => finds(rules, patientOf(s)) && rules.one('r', s),
  },
  { name: 'create', ask: (s) => ['POST', `/${s.type}`, { body: newOf(s) }], status: madeAs('c'), writes: true },
  {
    name: 'conditional create of what is there',
    ask: (s) => ['POST', `/${s.type}`, { body: newOf(s), headers: { 'if-none-exist': `_id=${s.id}` } }],
    status: (rules, s) => {
      if (!rules.some('c', s.type) || !rules.some('s', s.type)) return 403;
      return rules.one('s', s) ? 200 : allowed(rules.makes('c', s), 201);
    },
    writes: true,
  },
  {
    name: 'update',
    ask: (s) => ['PUT', at(s), { body: { ...bodyOf(s), language: 'fr' } }],
    status: asChange('u'),
    writes: true,
  },
  {
    name: 'update if it is at a version',
    ask: (s) => ['PUT', at(s), { body: bodyOf(s), headers: { 'if-match': 'W/"1"' } }],
    status: (rules, s) => (asChange('u')(rules, s) === 200 ? 412 : asChange('u')(rules, s)),
    writes: true,
  },
  {
    name: 'update if it is not there',
    ask: (s) => ['PUT', at(s), { body: bodyOf(s), headers: { 'if-none-match': '*' } }],
    status: (rules, s) => (asChange('u')(rules, s) === 200 ? 412 : asChange('u')(rules, s)),
    writes: true,
  },
  {
    name: 'update as create',
    // One for each: what was deleted goes on from the status it had.
    ask: (s) => ['PUT', `/${s.type}/chosen-${s.id}`, { body: { ...bodyOf(s), id: `chosen-${s.id}` } }],
    status: (rules, s) => (rules.whole('u', s.type) ? 201 : rules.some('u', s.type) ? 404 : 403),
    writes: true,
  },
  {
    name: 'conditional update',
    ask: (s) => ['PUT', `/${s.type}?_id=${s.id}`, { body: newOf(s) }],
    status: (rules, s) => {
      if (!rules.some('u', s.type) || !rules.some('s', s.type)) return 403;
      if (!rules.one('s', s)) return allowed(rules.makes('u', s), 201);
      return rules.one('u', s) ? 200 : 404;
    },
    writes: true,
  },
  {
    name: 'JSON Patch',
    ask: (s) => [
      'PATCH',
      at(s),
      { headers: JSON_PATCH, body: JSON.stringify([{ op: 'add', path: '/language', value: 'it' }]) },
    ],
    status: asChange('u'),
    writes: true,
  },
  {
    name: 'JSON Patch that tests',
    ask: (s) => [
      'PATCH',
      at(s),
      { headers: JSON_PATCH, body: JSON.stringify([{ op: 'test', path: '/resourceType', value: s.type }]) },
    ],
    status: (rules, s) => {
      if (!rules.some('u', s.type) || !rules.some('r', s.type)) return 403;
      return rules.one('u', s) && rules.one('r', s) ? 200 : 404;
    },
    writes: true,
  },
  { name: 'FHIRPath Patch', ask: (s) => ['PATCH', at(s), fhirPatch('es')], status: asChange('u'), writes: true },
  {
    name: 'conditional patch',
    ask: (s) => ['PATCH', `/${s.type}?_id=${s.id}`, fhirPatch('es')],
    status: (rules, s) => {
      if (!rules.some('u', s.type) || !rules.some('s', s.type)) return 403;
      return rules.one('u', s) && rules.one('s', s) ? 200 : 404;
    },
    writes: true,
  },
  {
    name: 'delete',
    of: ({ type, id }) => type === 'Task' && id !== 'absent',
    ask: (s) => ['DELETE', at(s)],
    status: (rules, s) => allowed(rules.some('d', s.type), 204),
    writes: true,
  },
  {
    name: 'conditional delete',
    of: isTask,
    ask: (s) => ['DELETE', `/${s.type}?_id=${s.id}`],
    status: (rules, s) => allowed(rules.some('d', s.type) && rules.some('s', s.type), 204),
    writes: true,
  },
  {
    name: 'create in a batch',
    ask: (s) => ['POST', '', entryOf('POST', s.type, newOf(s))],
    status: madeAs('c'),
    writes: true,
  },
  {
    name: 'create in a transaction',
    ask: (s) => ['POST', '', entryOf('POST', s.type, newOf(s), 'transaction')],
    status: madeAs('c'),
    writes: true,
  },
  {
    name: 'update in a batch',
    ask: (s) => ['POST', '', entryOf('PUT', `${s.type}/${s.id}`, bodyOf(s))],
    status: asChange('u'),
    writes: true,
  },
  {
    name: 'update in a transaction',
    ask: (s) => ['POST', '', entryOf('PUT', `${s.type}/${s.id}`, bodyOf(s), 'transaction')],
    status: asChange('u'),
    writes: true,
  },
  {
    name: 'patch in a transaction',
    ask: (s) => ['POST', '', entryOf('PATCH', `${s.type}/${s.id}`, fhirPatch('pt').body, 'transaction')],
    status: asChange('u'),
    writes: true,
  },
  {
    name: 'delete in a transaction',
    of: isTask,
    ask: (s) => ['POST', '', entryOf('DELETE', `${s.type}/${s.id}`, undefined, 'transaction')],
    status: (rules, s) => allowed(rules.some('d', s.type), 204),
    writes: true,
  },
  {
    name: '$everything',
    of: isTask,
    ask: (s) => ['GET', `/Patient/${s.patient}/$everything`],
    status: (rules, s) => asRead(rules, patientOf(s)),
    found: finds,
  },
  { name: '$meta', ask: (s) => ['GET', `${at(s)}/$meta`], status: asRead },
  {
    name: '$meta of a type',
    ask: (s) => ['GET', `/${s.type}/$meta`],
    status: (rules, s) => allowed(rules.whole('s', s.type)),
  },
  { name: '$meta of all', ask: () => ['GET', '/$meta'], status: (rules) => allowed(rules.whole('s', '*')) },
  {
    name: '$meta-add',
    ask: (s) => [
      'POST',
      `${at(s)}/$meta-add`,
      parameters('meta', { valueMeta: { tag: [{ system: 'urn:matrix', code: 'x' }] } }),
    ],
    status: asChange('u'),
    writes: true,
  },
  {
    name: '$meta-delete',
    ask: (s) => [
      'POST',
      `${at(s)}/$meta-delete`,
      parameters('meta', { valueMeta: { tag: [{ system: 'urn:matrix', code: 'x' }] } }),
    ],
    status: asChange('u'),
    writes: true,
  },
  {
    name: '$validate of what is sent',
    ask: (s) => ['POST', `/${s.type}/$validate`, { body: newOf({ ...s, patient: 'own' }) }],
    status: () => 200,
  },
  { name: '$validate of what is stored', ask: (s) => ['GET', `${at(s)}/$validate`], status: asRead },
  {
    name: '$validate of a delete',
    ask: (s) => ['GET', `${at(s)}/$validate?mode=delete`],
    status: (rules, s) => (rules.some('d', s.type) ? asRead(rules, s) : 403),
  },
  {
    name: 'terminology of the standard',
    of: ({ id }) => id === 'mine',
    ask: () => ['GET', '/ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender'],
    status: (rules) => allowed(rules.some('r', 'ValueSet')),
  },
  {
    name: '$break-glass',
    of: ({ id }) => id === 'theirs',
    ask: () => [
      'POST',
      '/Patient/other/$break-glass',
      parameters('reason', { valueString: 'Found unconscious at home' }),
    ],
    status: (rules) => allowed(rules.breaksGlass, 201),
    writes: true,
  },
  { name: 'metadata', of: ({ id }) => id === 'mine', ask: () => ['GET', '/metadata'], status: () => 200 },
];

// ---- the matrix

/** Of a Bundle of answers, the one answer; of a search in it, that. */
function answered(answer: Answer): { readonly status: number; readonly ids: readonly string[] } {
  if (answer.status !== 200 || answer.text === '') return { status: answer.status, ids: [] };
  const { json } = answer;
  const [entry] = json.entry ?? [];
  const isAnswer = json.resourceType === 'Bundle' && json.type?.endsWith('-response');
  const bundle = isAnswer ? entry?.resource : json;
  const ids = bundle?.resourceType === 'Bundle' ? (bundle.entry ?? []).map(({ resource }) => resource?.id ?? '') : [];
  return { status: isAnswer ? Number(entry?.response?.status.slice(0, 3)) : answer.status, ids };
}

const versionOf = async (subject: Subject) => (await baton.fhir('GET', at(subject))).json.meta?.versionId ?? '1';

describe.each(GRANTS)('$name: $scope', (row) => {
  const rules = new Rules(row);
  let as: string;
  beforeAll(async () => {
    const { user, scope, patient } = row;
    as = await (user === undefined ? baton.token(scope, patient) : baton.tokenOf(user, scope, patient));
  });

  const ask = async ({ ask: of }: Row, subject: Subject) => {
    const version = of.length > 1 && subject !== ABSENT ? await versionOf(subject) : '1';
    const [method, path, more] = of(subject, version);
    asked.length = 0;
    const answer = await baton.fhir(method, path, { as, ...more });
    return { answer, way: asked.join() };
  };

  it.each(ROWS)('$name', async (interaction) => {
    const wrong: string[] = [];
    for (const subject of SUBJECTS.filter((each) => interaction.of?.(each) !== false)) {
      const { answer, way } = await ask(interaction, subject);
      const { status, ids } = answered(answer);
      const expected = interaction.status(rules, subject);
      const where = `${interaction.name} of ${at(subject)}`;
      if (status !== expected) wrong.push(`${where}: ${status}, not ${expected}: ${answer.text.slice(0, 300)}`);
      const isExpected = interaction.found?.(rules, subject);
      const looked = interaction.name.startsWith('what refers here') ? patientOf(subject).id : subject.id;
      if (status === 200 && isExpected !== undefined && ids.includes(looked) !== isExpected) {
        wrong.push(`${where}: finds ${ids.join() || 'nothing'}`);
      }
      const everything = `${JSON.stringify(answer.headers)}${answer.text}`;
      for (const [hidden, mark] of MARKS) {
        const isSent = interaction.writes === true && subject === hidden && status < 300;
        if (!rules.shows(hidden) && !isSent && everything.includes(mark)) wrong.push(`${where} shows ${mark}`);
      }
      if (subject === THEIRS) wrong.push(...(await differences(interaction, answer, way)));
      if (interaction.writes && answer.status < 300) {
        if (interaction.name === '$break-glass') await endEmergencies();
        await restore();
      }
    }
    expect(wrong).toEqual([]);
  });

  /** Who reaches nothing of the other patient's task is told the same of it as of one that is not there. */
  async function differences(interaction: Row, there: Answer, way: string): Promise<string[]> {
    const isHidden = ['c', 'r', 'u', 'd', 's'].every((letter) => !rules.one(letter, THEIRS));
    const isById =
      interaction.ask(ABSENT, '9')[1].includes('absent') ||
      JSON.stringify(interaction.ask(ABSENT, '9')).includes('absent');
    if (!isHidden || !isById) return [];
    const absent = await ask(interaction, ABSENT);
    if (absent.way !== way) return [`${interaction.name}: asks the store ${way}, but of what is absent ${absent.way}`];
    const told = ({ status, text, headers }: Answer) =>
      [
        status,
        text.replaceAll('theirs', 'absent').replace(/"(id|lastUpdated)":"[^"]*"/g, ''),
        headers.etag,
        headers['last-modified'],
      ].join(' ');
    return told(there) === told(absent.answer)
      ? []
      : [`${interaction.name}: ${told(there)}\n but of what is absent ${told(absent.answer)}`];
  }
});

async function endEmergencies(): Promise<void> {
  const statement = { sql: 'DELETE FROM emergency_access', params: [] };
  await baton.temp.store.commit({ reference: 'test', kind: 'service' }, [], [statement]);
}

it('listens to what the store is asked', async () => {
  asked.length = 0;
  await baton.fhir('GET', '/Task/mine');
  expect(asked).toEqual(['read']);
});

it('without a token nothing is answered but what the server is', async () => {
  for (const interaction of ROWS) {
    for (const subject of SUBJECTS.filter((each) => interaction.of?.(each) !== false)) {
      const [method, path, more] = interaction.ask(subject, '1');
      const { status, text } = await baton.fhir(method, path, { ...more, as: '' });
      expect([interaction.name, status]).toEqual([interaction.name, path === '/metadata' ? 200 : 401]);
      for (const [, mark] of MARKS) expect(text).not.toContain(mark);
    }
  }
});
