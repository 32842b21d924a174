// What claims say, however an issuer writes them: who, through what, for whom, why; and what they may not say.
import { describe, expect, it } from 'vitest';
import type { Grant } from '../../src/access/grant.ts';
import { grantOfClaims } from '../../src/access/grant-of-claims.ts';
import { agreementWith, type Issuer } from '../../src/access/issuer.ts';

const FHIR = 'https://baton.example/fhir/R4';
const ELSEWHERE = 'https://ehr.example/api/FHIR/R4';

const grant = (claims: object, more: Partial<Issuer> = {}): Grant =>
  grantOfClaims(
    { client_id: 'app', ...claims },
    agreementWith({ issuer: 'https://idp.example', audience: 'baton', ...more }, FHIR),
  );

describe('who', () => {
  it.each([
    ['Practitioner/12', 'Practitioner/12'],
    [`${FHIR}/PractitionerRole/a.b-c`, 'PractitionerRole/a.b-c'],
    [`${FHIR}/Patient/1`, 'Patient/1'],
    ['RelatedPerson/1', 'RelatedPerson/1'],
    ['Person/1', 'Person/1'],
    ['Device/1', 'Device/1'],
  ])('fhirUser %s is %s, through the application', (fhirUser, reference) => {
    expect(grant({ fhirUser, sub: 'x' }).actor).toEqual({ reference, kind: 'user', client: 'app' });
  });

  it('somebody of another server stays somebody of another server', () => {
    const fhirUser = `${ELSEWHERE}/Practitioner/12`;
    expect(grant({ fhirUser }).actor.reference).toBe(fhirUser);
    expect(grant({ fhirUser }, { fhirUserBase: `${ELSEWHERE}/` }).actor.reference).toBe('Practitioner/12');
    expect(grant({ fhirUser }, { fhirUserBase: 'https://ehr.example/api/FHIR' }).actor.reference).toBe(fhirUser);
  });

  it.each([
    'Organization/1',
    'Practitioner',
    'Practitioner/',
    'Practitioner/1/_history/2',
    'practitioner/1',
    `Practitioner/${'1'.repeat(65)}`,
    '/Practitioner/1',
    '//evil.example/Practitioner/1',
    'Practitioner/1\n',
    'urn:uuid:Practitioner/1',
    `${FHIR}/../../x/Practitioner/1`,
    `${FHIR}//Practitioner/1`,
    `${FHIR}/Practitioner/1?x=y`,
    `${ELSEWHERE}/../Practitioner/1`,
    `${ELSEWHERE}/Organization/1`,
    'https://user:pass@ehr.example/Practitioner/1',
    'https://ehr.example/Practitioner/1#Practitioner/2',
    'javascript:alert(1)/Practitioner/1',
    `https://ehr.example/${'x'.repeat(600)}/Practitioner/1`,
  ])('fhirUser %j is nobody, and does not become the application', (fhirUser) => {
    expect(() => grant({ fhirUser })).toThrow('names nobody who can be a user');
  });

  it('may be under another claim, also within an object or with dots in its name', () => {
    const reference = 'Practitioner/7';
    expect(grant({ ext: { who: reference } }, { userClaim: 'ext.who' }).actor.reference).toBe(reference);
    expect(grant({ 'https://x.example/who': reference }, { userClaim: 'https://x.example/who' }).actor.reference).toBe(
      reference,
    );
    expect(grant({ fhirUser: reference }, { userClaim: 'other' }).actor.kind).toBe('client');
    expect(grant({}, { userClaim: 'constructor.name' }).actor.kind).toBe('client');
  });

  it.each([
    [{ client_id: 'a', azp: 'b', sub: 'c' }, 'a'],
    [{ client_id: undefined, azp: 'b', sub: 'c' }, 'b'],
    [{ client_id: null, cid: 'okta', sub: 'c' }, 'okta'],
    [{ client_id: '', sub: 'c' }, 'c'],
  ])('%j is the application %s', (claims, client) => {
    expect(grant(claims)).toMatchObject({ client, actor: { reference: client, kind: 'client' } });
  });

  it('the subject of a user is no application', () => {
    const { client, actor } = grant({ client_id: undefined, sub: 'u1', fhirUser: 'Practitioner/1' });
    expect([client, actor]).toEqual([undefined, { reference: 'Practitioner/1', kind: 'user' }]);
  });

  it.each([5, {}, ['app'], true, 'a\nb', 'a\u0000', 'x'.repeat(256), 'Practitioner/12', 'é'])(
    'client_id %j is refused',
    (client_id) => {
      expect(() => grant({ client_id })).toThrow('no name of an application');
    },
  );

  it.each([5, {}, ['Practitioner/1'], true])('fhirUser %j is refused', (fhirUser) => {
    expect(() => grant({ fhirUser })).toThrow('not text');
  });
});

describe('for whom', () => {
  it.each([
    [{ patient: '12' }, { patient: '12' }],
    [
      { patient: 'Patient/12', encounter: 'Encounter/9' },
      { patient: '12', encounter: '9' },
    ],
    [{ patient: `${FHIR}/Patient/12` }, { patient: '12' }],
    [{ launch_response: { patient: '12', encounter: '9' } }, { patient: '12', encounter: '9' }],
    [{ encounter: '9' }, { encounter: '9' }],
  ])('%j is %j', (claims, context) => {
    const { patient, encounter } = grant(claims);
    expect({ ...(patient && { patient }), ...(encounter && { encounter }) }).toEqual(context);
  });

  it('may be under another claim, beside its encounter', () => {
    const claims = { ctx: { pat: 'Patient/3', encounter: '4' }, patient: '1' };
    expect(grant(claims, { patientClaim: 'ctx.pat' })).toMatchObject({ patient: '3', encounter: '4' });
  });

  it.each([`${ELSEWHERE}/Patient/12`, 'Practitioner/12', '1/2', '../1', 'a b', '1'.repeat(65)])(
    'patient %j is no patient of ours',
    (patient) => {
      expect(grant({ patient })).not.toHaveProperty('patient');
    },
  );

  it.each([5, {}, ['1']])('patient %j is refused', (patient) => {
    expect(() => grant({ patient })).toThrow('not text');
  });
});

describe('why', () => {
  it.each([
    [{ purpose_of_use: 'TREAT' }, ['TREAT']],
    [{ purpose: ['HPAYMT', 'TREAT', 'TREAT'] }, ['HPAYMT', 'TREAT']],
    [{ purpose_of_use: 'http://terminology.hl7.org/CodeSystem/v3-ActReason|ETREAT' }, ['ETREAT']],
    [
      {
        extensions: {
          ihe_iua: { purpose_of_use: [{ system: 'urn:oid:2.16.840.1.113883.1.11.20448', code: 'TREAT' }] },
        },
      },
      ['TREAT'],
    ],
    [{ purpose: 5, purpose_of_use: [null, 'a b', {}, { code: 7 }] }, undefined],
    [{ extensions: 'x' }, undefined],
  ])('%j is %j', (claims, purposes) => {
    expect(grant(claims).actor.purposes).toEqual(purposes);
  });

  it('is at most ten codes', () => {
    expect(grant({ purpose: Array.from({ length: 5_000 }, (_, i) => `P${i}`) }).actor.purposes).toHaveLength(10);
  });
});

describe('scopes', () => {
  const types = (claims: object) => grant(claims).scopes.resources.map(({ type }) => type);

  it.each([
    [{ scope: 'system/Task.rs system/Goal.rs' }],
    [{ scope: ['system/Task.rs', 'system/Goal.rs'] }],
    [{ scope: ['system/Task.rs system/Goal.rs'] }],
    [{ scp: 'system/Task.rs system/Goal.rs' }],
    [{ scp: ['system/Task.rs', 'system/Goal.rs', 'system/Goal.rs'], scope: null }],
  ])('%j are the same two', (claims) => {
    expect(types(claims)).toEqual(['Task', 'Goal']);
  });

  it.each([5, {}, true, [5], [['system/*.cruds']]])('scope %j is refused', (scope) => {
    expect(() => grant({ scope })).toThrow('neither text nor a list');
  });

  it.each([
    'system/Task.rs\u0000',
    'system/Task.rs\tsystem/Goal.rs',
    'system/Task.rs?a=\u0007',
    'system/Tásk.rs',
    'system/Task.rs?"',
  ])('%j grants nothing', (scope) => {
    expect(types({ scope })).toEqual([]);
  });

  it('that come after the first 200 grant nothing, in linear time', () => {
    const many = Array.from({ length: 200_000 }, (_, i) => `system/Task.rs?code=${i}`);
    expect(types({ scope: `${many.join(' ')} system/*.cruds` })).toHaveLength(200);
    expect(types({ scope: [...many, 'system/*.cruds'] })).toHaveLength(200);
    expect(types({ scope: `${' '.repeat(1_000_000)}system/*.cruds` })).toEqual([]);
  });
});
