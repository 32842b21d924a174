// What a patient has withheld from the case manager shows in no view of the case: not as an entry, not by a count of words,
// not in the hand-over, the document, its page or its PDF.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pdfText } from '../../support/pdf-text.ts';
import { type ReferWorld, referWorld } from './refer-world.ts';

let baton: ReferWorld;
let caseId = '';
let planId = '';
const ref = (reference: string) => ({ reference });
const LABEL = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' };
const SECRET = 'Unspeakable';

beforeAll(async () => {
  baton = await referWorld();
  caseId = await baton.open('shy');
  planId = String(
    ((await baton.asNurse('GET', `/cases/${caseId}`)).json.plan as { reference: string }).reference,
  ).slice(9);
  const subject = ref('Patient/shy');
  const nurse = ref('Practitioner/nurse');
  const code = { text: SECRET };
  const basedOn = [ref(`CarePlan/${planId}`)];
  const secret = (resourceType: string, more: object) => ({
    ...{ resourceType, id: `hidden-${resourceType.toLowerCase()}`, meta: { security: [LABEL] } },
    ...more,
  });
  await baton.put(
    secret('Condition', { subject, code, recordedDate: '2026-01-02' }),
    secret('Goal', { subject, description: code, lifecycleStatus: 'active', startDate: '2026-01-02' }),
    secret('Task', { for: subject, status: 'requested', intent: 'order', description: SECRET, basedOn, owner: nurse }),
    secret('ServiceRequest', { subject, status: 'active', intent: 'order', code, basedOn }),
    secret('Communication', { subject, status: 'completed', topic: code, sent: '2026-01-02T10:00:00Z', note: [code] }),
    secret('Observation', { subject, status: 'final', code, effectiveDateTime: '2026-01-02', valueString: SECRET }),
    secret('Encounter', {
      ...{ subject, status: 'finished', type: [code], period: { start: '2026-01-01', end: '2026-01-03' } },
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    }),
    secret('Flag', { subject, status: 'active', code, period: { start: '2026-01-02' } }),
    secret('AllergyIntolerance', {
      ...{ patient: subject, code, recordedDate: '2026-01-02' },
      clinicalStatus: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }],
      },
    }),
    secret('MedicationStatement', {
      subject,
      status: 'active',
      medicationCodeableConcept: code,
      effectiveDateTime: '2026-01-02',
    }),
    secret('Procedure', { subject, status: 'completed', code, performedDateTime: '2026-01-02' }),
    secret('RiskAssessment', { subject, status: 'final', code, occurrenceDateTime: '2026-01-02' }),
    secret('DetectedIssue', {
      patient: subject,
      status: 'preliminary',
      code,
      detail: SECRET,
      identifiedDateTime: '2026-01-02',
    }),
    secret('QuestionnaireResponse', {
      subject,
      status: 'completed',
      authored: '2026-01-02T10:00:00Z',
      item: [{ linkId: '1', text: SECRET }],
    }),
    secret('DocumentReference', {
      ...{ subject, status: 'current', type: code, description: SECRET, date: '2026-01-02T10:00:00Z' },
      content: [{ attachment: { title: SECRET, contentType: 'text/plain', data: 'eA==' } }],
    }),
  );
  const plan = (await baton.fhir('GET', `/CarePlan/${planId}`)).json as { id: string; resourceType: string };
  await baton.put(
    {
      ...plan,
      addresses: [ref('Condition/hidden-condition')],
      goal: [ref('Goal/hidden-goal')],
      activity: [{ reference: ref('Task/hidden-task') }, { reference: ref('ServiceRequest/hidden-servicerequest') }],
    },
    {
      ...{ resourceType: 'Consent', id: 'no', status: 'active', patient: subject },
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
      category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
      policy: [{ uri: 'http://example.org/policy' }],
      provision: { type: 'deny', securityLabel: [LABEL], actor: [{ role: { text: 'nurse' }, reference: nurse }] },
    },
  );
});

afterAll(() => baton.close());

const PATHS = [
  ...['', '/timeline', '/handover', '/plan', '/needs', '/goals', '/interventions', '/contacts', '/referrals', '/team'],
  ...['/assessments', '/flags', '/incidents', '/transitions', '/education', '/equipment', '/preferences'],
  ...['/advance-directives', '/medication-reconciliations', '/documents', '/document', '/reviews', '/variances'],
];

it.each(PATHS)('shows nothing of it at /cases/{id}%s', async (path) => {
  const open = await baton.api('GET', `/cases/${caseId}${path}`);
  const kept = await baton.asNurse('GET', `/cases/${caseId}${path}`);
  expect([open.status, kept.status], kept.text).toEqual([200, 200]);
  expect(kept.text).not.toContain(SECRET);
});

it.each(['text/html', 'text/plain', 'text/markdown'])('nor in hand-over and document as %s', async (accept) => {
  for (const path of ['handover', 'document']) {
    const answer = await baton.api('GET', `/cases/${caseId}/${path}`, { as: baton.nurse, headers: { accept } });
    expect(answer.text).not.toContain(SECRET);
  }
});

it('nor in the PDF, the FHIR document, the worklist, and the record', async () => {
  const pdf = await baton.server.inject({
    url: `/api/v1/cases/${caseId}/document`,
    headers: { accept: 'application/pdf', authorization: `Bearer ${baton.nurse}` },
  });
  expect(pdf.headers['content-type']).toBe('application/pdf');
  expect(pdfText(pdf.rawPayload)).not.toContain(SECRET);
  expect((await baton.api('GET', '/worklist?owner=Practitioner/nurse')).text).toContain(SECRET);
  expect((await baton.asNurse('GET', '/worklist?owner=Practitioner/nurse')).text).not.toContain(SECRET);
  for (const path of [`/CarePlan/${planId}/$export-document`, '/Patient/shy/$everything', '?_type=Task,Goal,Flag']) {
    expect((await baton.fhir('GET', path)).text, path).toContain(SECRET);
    const kept = await baton.fhir('GET', path, { as: baton.nurse });
    expect(kept.status, kept.text).toBe(200);
    expect(kept.text, path).not.toContain(SECRET);
  }
});
