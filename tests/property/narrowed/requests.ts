// Arbitrary requests: the oracle's searches, and everything else that can be asked of or done to a resource.
import fc, { type Arbitrary } from 'fast-check';
import { CODES, STRINGS } from '../oracle/pools.ts';
import { type QueryWorld, queryArbitrary } from '../oracle/queries.ts';
import { type Query, queryUrl } from '../oracle/query.ts';
import type { Asked } from './pair.ts';
import { CARE_TYPES, PATIENTS, resourceOf, TYPES } from './people.ts';

const IDS = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'nobody'];
const oneOf = <T>(...values: readonly T[]): Arbitrary<T> => fc.constantFrom(...values);
const type = oneOf(...TYPES);
const id = oneOf(...IDS);
const get = (path: string, more: Partial<Asked> = {}): Asked => ({ method: 'GET', path, ...more });
const LENIENT = { prefer: 'handling=lenient' };

const INCLUDES_ANY =
  'an include of any type brings, of types that are reached in part, only what scopes of all types reach';

function searched(query: Query, way: string): Asked {
  const url = queryUrl(query);
  const wild = query.includes.some(({ source }) => source === undefined);
  const short = wild ? { fallsShort: INCLUDES_ANY } : {};
  const lenient = query.includes.length > 0 ? { headers: LENIENT } : {};
  const [path = '', pairs = ''] = url.split('?', 2);
  switch (way) {
    case 'form': {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', ...lenient.headers };
      // Half of the parameters in the URL, half in the body.
      const all = [...new URLSearchParams(pairs)];
      const [inUrl, inBody] = [all.slice(0, all.length >> 1), all.slice(all.length >> 1)];
      const body = new URLSearchParams(inBody).toString();
      return { method: 'POST', path: `/${path}/_search?${new URLSearchParams(inUrl)}`, headers, body, ...short };
    }
    case 'count':
      return get(`/${url}&_summary=count`, { ...lenient, ...short });
    case 'compartment':
      return get(`/Patient/${PATIENTS[query.conditions.length]}/${url}`, { ...lenient, ...short });
    case 'entry': {
      const entry = [{ request: { method: 'GET', url } }];
      return { method: 'POST', path: '', body: { resourceType: 'Bundle', type: 'batch', entry }, ...lenient, ...short };
    }
    default:
      return get(`/${url}`, { ...lenient, ...short });
  }
}

const encoded = (query: string) => encodeURI(query);

/** Where other resources decide, in ways that the oracle's queries do not have. */
const written = fc
  .tuple(
    type,
    id,
    oneOf(...CODES.filter((code) => /^\w+$/.test(code))),
    oneOf(...STRINGS.filter((text) => /^\w+$/.test(text))),
  )
  .chain(([one, at, code, name]) =>
    oneOf(
      `/${one}?_list=${at}`,
      `/Task?_filter=patient.name co "${name}"`,
      `/Task?_filter=not (patient.name co "${name}")`,
      '/Task?_filter=not (focus.status eq "active")&_total=accurate',
      `/Observation?_filter=subject[active eq "true"].family eq "${name}" or code eq "${code}"`,
      `/Task?patient:Patient.link:Patient._id=${at}`,
      `/Patient?_has:Task:patient:_has:CarePlan:activity-reference:status=active&_sort=-name`,
      `/Patient?_has:List:item:_id=${at}`,
      `/Task?_list=${at}&_sort=-code&_count=2`,
      '/?_type=Task,Patient&_sort=_id',
      `/?_type=Task,Observation,Condition&_count=3`,
      `/?_type=Group,List&_total=accurate`,
      `/?_security=urn:s|${code}`,
      `/?_tag:not=urn:s|${code}&_count=5`,
      `/Patient/${at}/Observation?_sort=-date&_include=Observation:performer`,
      `/Task?_text=${name}`,
      `/Patient?_content=${name}`,
      `/Patient?name:missing=true&_elements=id`,
      `/Task?owner.name=${name}`,
      `/Task?_sort=-patient,owner&_count=1`,
      `/CarePlan?_include=CarePlan:activity-reference&_include:iterate=Task:patient&_revinclude:iterate=Observation:patient`,
      `/Patient?_id=${at}&_revinclude=Provenance:target&_revinclude=List:item&_revinclude=Group:member`,
      `/Patient/${at}/$everything`,
      `/Patient/${at}/$everything?_type=Task,Observation&_count=2`,
      `/Patient/${at}/$everything?_since=2025-06-30T23:59:59.5Z`,
      '/Patient/$everything',
      `/${one}/$meta`,
      '/$meta',
      `/${one}/_history`,
      '/_history',
    ),
  )
  .map((path) => {
    const why = path.includes('$everything') ? SUPPORTING : path.startsWith('/?') ? OVER_ALL : undefined;
    return get(encoded(path), why === undefined ? {} : { fallsShort: why });
  });

const OVER_ALL = 'a search over all types is narrowed by scopes of all types only';
const SUPPORTING =
  '$everything gives what a record refers to outside of records only of types that are reached as a whole';

const PAST = 'of past versions those are shown that name the same patients in the same places, and no total';

const onOne = fc
  .tuple(type, id)
  .chain(([one, at]) =>
    oneOf(
      get(`/${one}/${at}`),
      get(`/${one}/${at}`, { headers: { 'if-none-match': 'W/"1"' } }),
      get(`/${one}/${at}?_summary=true`),
      { method: 'HEAD', path: `/${one}/${at}` } as const,
      get(`/${one}/${at}/_history/1`, { fallsShort: PAST }),
      get(`/${one}/${at}/_history/2`, { fallsShort: PAST }),
      get(`/${one}/${at}/_history`, { fallsShort: PAST }),
      get(`/${one}/${at}/$meta`),
      get(`/${one}/${at}/$validate`),
      get(`/${one}/${at}/$validate?mode=delete`),
    ),
  );

/** Whatever may be asked without changing anything. */
export function questionArbitrary(world: QueryWorld): Arbitrary<Asked> {
  const searches = fc
    .tuple(queryArbitrary(world), oneOf('url', 'url', 'url', 'form', 'count', 'compartment', 'entry'))
    .map(([query, way]) => searched(query, way));
  return fc.oneof(
    { weight: 6, arbitrary: searches },
    { weight: 2, arbitrary: written },
    { weight: 2, arbitrary: onOne },
  );
}

const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
const careType = oneOf(...CARE_TYPES);

const statusPatch = oneOf('requested', 'completed', 'active', 'final').map((value) => [
  { op: 'replace', path: '/status', value },
]);
const patientPatch = fc
  .tuple(oneOf('for', 'subject', 'patient'), oneOf(...PATIENTS))
  .map(([element, one]) => [{ op: 'add', path: `/${element}`, value: { reference: `Patient/${one}` } }]);
const testPatch = fc
  .tuple(oneOf('for', 'subject', 'patient'), oneOf(...PATIENTS))
  .map(([element, one]) => [{ op: 'test', path: `/${element}/reference`, value: `Patient/${one}` }]);
const memberPatch = oneOf('r0', 'r1', 'r2', 'r3').map((one) => [
  { op: 'add', path: '/participant/-', value: { member: { reference: `Practitioner/${one}` } } },
]);

type Entry = { readonly resource?: object; readonly request: object; readonly fullUrl?: string };

/** A change as an entry of a Bundle, from which the request by itself is made too. */
const changeEntry: Arbitrary<Entry> = careType.chain((one) =>
  fc
    .tuple(resourceOf(one), id, oneOf(...CODES.slice(0, 5)))
    .chain(([json, at, code]) =>
      oneOf<Entry>(
        { resource: json, request: { method: 'POST', url: one } },
        { resource: json, request: { method: 'POST', url: one } },
        { resource: json, request: { method: 'POST', url: one, ifNoneExist: `_id=${at}` } },
        { resource: { ...json, id: at }, request: { method: 'PUT', url: `${one}/${at}` } },
        { resource: { ...json, id: at }, request: { method: 'PUT', url: `${one}/${at}` } },
        { resource: { ...json, id: at }, request: { method: 'PUT', url: `${one}/${at}`, ifMatch: 'W/"1"' } },
        { resource: { ...json, id: at }, request: { method: 'PUT', url: `${one}/${at}`, ifNoneMatch: '*' } },
        { resource: json, request: { method: 'PUT', url: `${one}?_id=${at}` } },
        { resource: json, request: { method: 'PUT', url: `${one}?_tag=${encodeURIComponent(code)}` } },
        { request: { method: 'DELETE', url: `${one}/${at}` } },
        { request: { method: 'DELETE', url: `${one}/${at}`, ifMatch: 'W/"1"' } },
        { request: { method: 'DELETE', url: `${one}?_id=${at}` } },
        { request: { method: 'DELETE', url: `${one}?_security=${encodeURIComponent(code)}` } },
      ),
    ),
);

const asRequest = ({ resource, request }: Entry): Asked => {
  const { method, url, ...conditions } = request as { method: 'POST' | 'PUT' | 'DELETE'; url: string };
  const names: Readonly<Record<string, string>> = {
    ifNoneExist: 'if-none-exist',
    ifMatch: 'if-match',
    ifNoneMatch: 'if-none-match',
  };
  const headers = Object.fromEntries(
    Object.entries(conditions).map(([name, value]) => [names[name] ?? name, String(value)]),
  );
  return { method, path: `/${url}`, headers, ...(resource ? { body: resource } : {}) };
};

const meta = fc
  .tuple(oneOf('meta-add', 'meta-delete'), careType, id, oneOf('a', 'b'))
  .map(([operation, one, at, code]): Asked => {
    const valueMeta = { security: [{ system: 'urn:s', code }], tag: [{ system: 'urn:s', code }] };
    const body = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta }] };
    return { method: 'POST', path: `/${one}/${at}/$${operation}`, body };
  });

const patch = fc
  .tuple(fc.oneof(statusPatch, patientPatch, testPatch, memberPatch), careType, id, fc.boolean())
  .map(([operations, one, at, byId]): Asked => {
    const path = byId ? `/${one}/${at}` : `/${one}?_id=${at}`;
    return { method: 'PATCH', path, headers: JSON_PATCH, body: JSON.stringify(operations) };
  });

/** Whoever writes may vouch for somebody: an own care team, task, episode or encounter about any patient. */
const vouching: Arbitrary<Entry> = fc
  .tuple(
    oneOf(...PATIENTS, 'new'),
    oneOf('Practitioner/r0', 'Practitioner/r1', 'Organization/r0', 'Organization/r1'),
    id,
    fc.boolean(),
  )
  .chain(([patient, worker, at, isNew]) => {
    const about = {
      reference: patient === 'new' ? `urn:uuid:5f0b6fa5-6a8e-4a4c-9d7d-3f1f7f2b8c11` : `Patient/${patient}`,
    };
    const me = { reference: worker };
    const request = (one: string) => (isNew ? { method: 'POST', url: one } : { method: 'PUT', url: `${one}/${at}` });
    const of = (one: string, json: object): Entry => ({
      resource: { resourceType: one, ...(isNew ? {} : { id: at }), ...json },
      request: request(one),
    });
    return oneOf(
      of('CareTeam', { status: 'active', subject: about, participant: [{ member: me }] }),
      of('Task', { status: 'requested', intent: 'order', for: about, owner: me }),
      of('EpisodeOfCare', { status: 'active', patient: about, careManager: me, managingOrganization: me }),
      of('Encounter', {
        status: 'in-progress',
        subject: about,
        participant: [{ individual: me }],
        serviceProvider: me,
      }),
    );
  });

const newPatient: Arbitrary<Entry> = resourceOf('Patient').map((resource) => ({
  fullUrl: 'urn:uuid:5f0b6fa5-6a8e-4a4c-9d7d-3f1f7f2b8c11',
  resource,
  request: { method: 'POST', url: 'Patient' },
}));

const bundle = fc
  .tuple(
    oneOf('batch', 'transaction', 'transaction'),
    fc.array(fc.oneof(changeEntry, vouching), { minLength: 1, maxLength: 3 }),
    fc.option(newPatient, { nil: undefined }),
  )
  .map(([kind, entries, first]): Asked => {
    const entry = first ? [first, ...entries] : entries;
    return { method: 'POST', path: '', body: { resourceType: 'Bundle', type: kind, entry } };
  });

/** Whatever may change something. */
export const changeArbitrary: Arbitrary<Asked> = fc.oneof(
  { weight: 4, arbitrary: changeEntry.map(asRequest) },
  { weight: 3, arbitrary: vouching.map(asRequest) },
  { weight: 3, arbitrary: patch },
  { weight: 1, arbitrary: meta },
  { weight: 3, arbitrary: bundle },
);
