// Evidence of a transition at its doors: the API, a page to print, FHIR, and the list of what can be reported.
import type { Bundle, MeasureReport } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, serveApi } from './api-client.ts';
import { createSampleSources, THE_STAY, TRANSITION } from './evidence-world.ts';

let baton: ApiServer;
beforeAll(async () => {
  baton = await serveApi({ evidence: createSampleSources() });
  await baton.put(...THE_STAY);
});
afterAll(() => baton.close());

const NEEDED = ['EpisodeOfCare', 'Encounter', 'Patient', 'Task', 'Communication', 'Procedure', 'Practitioner']
  .map((type) => `system/${type}.rs`)
  .join(' ');
const FULL = `/transitions/${TRANSITION}/evidence`;

describe('the evidence of a transition', () => {
  it('says what, when, by whom and what shows it', async () => {
    const { status, json } = await baton.api('GET', FULL);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      id: TRANSITION,
      zone: 'America/New_York',
      destination: 'home',
      tcm: { status: 'waiting', waitingFor: [{ code: 'medical-decision-making-unknown' }] },
      trc: { eligible: true },
    });
    const findings = (json.tcm as { findings: { code: string; state: string; proof: object[] }[] }).findings;
    expect(findings.map(({ code, state, proof }) => [code, state, proof])).toEqual([
      ['contact', 'on-time', [{ reference: 'Communication/call' }]],
      ['medication-reconciliation', 'on-time', [{ reference: 'Procedure/reconciled' }]],
      ['visit', 'within-7', [{ reference: 'Encounter/visit' }]],
      ['medical-decision-making', 'unknown', []],
    ]);
  });

  it('is a page to print', async () => {
    const { status, headers, text } = await baton.api('GET', FULL, { headers: { accept: 'text/html' } });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(text).toContain('<h2>Transitional care management (CPT 99495, 99496)</h2>');
    expect(text).toContain('Communication/call');
    expect(text).not.toMatch(/<script|<style|Sample/);
  });

  it('is a PDF', async () => {
    const { status, headers, text } = await baton.api('GET', FULL, { headers: { accept: 'application/pdf' } });
    expect([status, headers['content-type'], text.slice(0, 5)]).toEqual([200, 'application/pdf', '%PDF-']);
  });

  it('is two individual MeasureReports, valid and with what was evaluated', async () => {
    const { status, json, text } = await baton.fhir('GET', `/EpisodeOfCare/${TRANSITION}/$evidence`);
    expect(status).toBe(200);
    const bundle = JSON.parse(text) as Bundle<MeasureReport>;
    const reports = (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
    expect(json.type).toBe('collection');
    expect(reports.map(({ measure }) => measure)).toEqual([
      'https://baton.health/fhir/Measure/tcm|1.2.0',
      'https://baton.health/fhir/Measure/trc|1.0.0',
    ]);
    expect(reports[0]?.evaluatedResource).toContainEqual({ reference: 'Communication/call' });
    for (const report of reports) {
      const checked = await baton.fhir('POST', '/MeasureReport/$validate', { body: report });
      expect(checked.json.issue?.filter(({ code }) => code !== 'informational') ?? []).toEqual([]);
    }
  });

  it('has FUH where the stay was for mental illness, in every form', async () => {
    const path = '/transitions/to-snf/evidence';
    const { json } = await baton.api('GET', path);
    expect(json.behavioral).toMatchObject({
      measure: 'FUH',
      eligible: true,
      rates: [{ state: 'missed' }, { state: 'missed' }],
    });
    expect((await baton.api('GET', path, { headers: { accept: 'text/html' } })).text).toContain('(HEDIS FUH)');
    expect((await baton.api('GET', path, { headers: { accept: 'application/pdf' } })).status).toBe(200);
    const reports = await baton.fhir('GET', '/EpisodeOfCare/to-snf/$evidence');
    expect(reports.json.entry?.at(-1)?.resource?.measure).toBe('https://baton.health/fhir/Measure/fuh|1.1.0');
  });

  it('is the same below a case of the patient, and of no other', async () => {
    expect((await baton.api('GET', `/cases/case${FULL}`)).status).toBe(200);
    expect((await baton.api('GET', `/cases/other${FULL}`)).status).toBe(404);
  });

  it('follows what is stored: decision making makes it ready', async () => {
    await baton.put({
      resourceType: 'Observation',
      id: 'decision',
      status: 'final',
      code: {
        coding: [{ system: 'https://baton.health/fhir/CodeSystem/evidence-part', code: 'medical-decision-making' }],
      },
      subject: { reference: 'Patient/ann' },
      effectiveDateTime: '2025-11-25',
      valueCodeableConcept: {
        coding: [{ system: 'https://baton.health/fhir/CodeSystem/evidence-part', code: 'high' }],
      },
    });
    const { json } = await baton.api('GET', FULL);
    expect(json.tcm).toMatchObject({ status: 'ready', code: '99496', dateOfService: '2025-11-25' });
  });
});

describe('who may see it', () => {
  it.each([
    ['system/Patient.rs', 403],
    ['system/EpisodeOfCare.rs system/Encounter.rs system/Patient.rs', 403],
    [NEEDED, 200],
  ])('%s: %i', async (scope, status) => {
    const as = await baton.token(scope);
    expect((await baton.api('GET', FULL, { as })).status).toBe(status);
  });

  it('what may not be read is named', async () => {
    const as = await baton.token(NEEDED);
    const { json } = await baton.api('GET', FULL, { as });
    expect(json.notSeen).toContain('DocumentReference');
    expect((await baton.fhir('GET', `/EpisodeOfCare/${TRANSITION}/$evidence`, { as })).status).toBe(200);
    const less = await baton.token('system/EpisodeOfCare.rs');
    expect((await baton.fhir('GET', `/EpisodeOfCare/${TRANSITION}/$evidence`, { as: less })).status).toBe(403);
  });

  it('is audited with the patient', async () => {
    await baton.api('GET', FULL);
    const rows = await baton.audited();
    expect(rows.some(({ interaction }) => interaction === 'transition-evidence')).toBe(true);
  });

  it('there is no evidence of what is no transition', async () => {
    expect((await baton.api('GET', '/transitions/case/evidence')).status).toBe(404);
    expect((await baton.fhir('GET', '/EpisodeOfCare/case/$evidence')).status).toBe(422);
  });
});

describe('billing readiness', () => {
  const list = async (search: string) => {
    const { status, json } = await baton.api('GET', `/billing-readiness${search}`);
    expect(status).toBe(200);
    return json.items as { transition: { reference: string }; status: string; because: { code: string }[] }[];
  };

  it('names what can be reported and why others cannot', async () => {
    const items = await list('');
    expect(items.map(({ transition, status }) => [transition.reference, status])).toEqual([
      [`EpisodeOfCare/${TRANSITION}`, 'ready'],
      ['EpisodeOfCare/to-snf', 'impossible'],
    ]);
    expect(items[1]?.because.map(({ code }) => code)).toContain('destination');
  });

  it.each([
    ['?status=ready', 1],
    ['?status=waiting', 0],
    ['?from=2025-11-20&to=2025-11-20', 1],
    ['?from=2025-11-21', 0],
    ['?facility=river', 2],
    ['?facility=elsewhere', 0],
  ])('%s: %i', async (search, count) => {
    expect(await list(search)).toHaveLength(count);
  });

  it('comes in pages', async () => {
    const first = await baton.api('GET', '/billing-readiness?limit=1');
    expect(first.json.items).toHaveLength(1);
    const { next } = first.json as { next?: string };
    expect(await list(`?limit=1&after=${encodeURIComponent(next ?? '')}`)).toHaveLength(1);
  });

  it('refuses what it does not know', async () => {
    expect((await baton.api('GET', '/billing-readiness?month=11')).status).toBe(400);
    expect((await baton.api('GET', '/billing-readiness?from=soon')).status).toBe(400);
  });
});
