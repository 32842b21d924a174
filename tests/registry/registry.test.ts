// Panels from the log and from the clock: who comes on, who leaves, what is written and what is not.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { statusOf } from '../../src/care/panels/membership.ts';
import { scoreOf } from '../../src/care/panels/score-assessment.ts';
import { condition, measured, openPopulation, PANELS, type Population, person, stay } from './population.ts';

let here: Population;
beforeAll(async () => {
  here = await openPopulation();
});
afterAll(() => here.temp.cleanup());
beforeEach(() => here.at('2026-11-28T15:00:00Z'));

const run = () => here.registry.run();
const NURSE = { reference: 'Practitioner/nurse', kind: 'user' } as const;
const SECRET = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };

describe('from the log', () => {
  it('puts a patient on a panel and says why, once', async () => {
    await here.registry.run();
    await here.put(person('ann'), condition('ann-copd', 'ann', 'J44.1'));
    await run();
    const group = await here.membership('copd', 'ann');
    expect(group).toMatchObject({ active: true, actual: true, type: 'person', quantity: 1, name: 'COPD' });
    expect(group?.member).toEqual([
      { entity: { reference: 'Patient/ann' }, period: { start: '2026-11-28T10:00:00-05:00' }, inactive: false },
    ]);
    expect(group?.extension).toEqual([
      {
        url: 'https://baton.health/fhir/StructureDefinition/panel-basis',
        valueReference: { reference: 'Condition/ann-copd' },
      },
    ]);
    const version = group?.meta?.versionId;
    await here.put(condition('ann-other', 'ann', 'M54.5'));
    await run();
    expect((await here.membership('copd', 'ann'))?.meta?.versionId).toBe(version);
  });

  it('ends a membership and keeps it, and begins another spell', async () => {
    await here.put(person('bea'), condition('bea-copd', 'bea', 'J44.9'));
    await run();
    here.at('2026-12-01T15:00:00Z');
    await here.remove('Condition', 'bea-copd');
    await run();
    const left = await here.membership('copd', 'bea');
    expect(left).toMatchObject({ active: false, quantity: 0 });
    expect(left?.member?.[0]).toMatchObject({ period: { end: '2026-12-01T10:00:00-05:00' }, inactive: true });
    here.at('2026-12-05T15:00:00Z');
    await here.put(condition('bea-copd', 'bea', 'J44.9'));
    await run();
    expect((await here.membership('copd', 'bea'))?.member).toHaveLength(2);
    expect(await here.status('copd', 'bea')).toBe('on');
  });

  it('moves a result that was filed wrongly from one patient to the other', async () => {
    await here.put(person('cleo'), person('dot'), condition('filed', 'cleo', 'J44.9'));
    await run();
    await here.put(condition('filed', 'dot', 'J44.9'));
    await run();
    expect([await here.status('copd', 'cleo'), await here.status('copd', 'dot')]).toEqual(['off', 'on']);
  });

  it('counts late data where it belongs in time', async () => {
    await here.put(person('eve'), stay('eve-1', 'eve', '2026-11-01', '2026-11-04'));
    await here.put(stay('eve-old', 'eve', '2025-01-01', '2025-01-04'));
    await run();
    expect(await here.status('frequent-acute-stays', 'eve')).toBe('never');
    await here.put(stay('eve-late', 'eve', '2026-03-01', '2026-03-04'));
    await run();
    expect(await here.status('frequent-acute-stays', 'eve')).toBe('on');
  });

  it('scores, and writes again only what changed', async () => {
    await here.put(
      person('fay', '1945-01-01'),
      condition('fay-hf', 'fay', 'I50.9'),
      condition('fay-ckd', 'fay', 'N18.4'),
    );
    await run();
    const [first] = await here.all('RiskAssessment', { subject: 'Patient/fay' });
    expect(first && scoreOf(first)).toBe(3);
    expect(first).toMatchObject({
      status: 'final',
      method: { coding: [{ code: 'heart-failure-outreach', version: '1.0.0' }] },
      basis: [{ reference: 'Condition/fay-ckd' }, { reference: 'Condition/fay-hf' }],
      prediction: [{ qualitativeRisk: { coding: [{ code: 'moderate' }] } }],
    });
    expect(first?.note?.[0]?.text).toContain('ejection fraction');
    expect(await here.status('heart-failure-high-risk', 'fay')).toBe('never');
    await here.put(condition('fay-back', 'fay', 'M54.5'));
    await run();
    const [same] = await here.all('RiskAssessment', { subject: 'Patient/fay' });
    expect(same?.meta?.versionId).toBe(first?.meta?.versionId);
    await here.put({
      ...measured('fay-ef', 'fay', '10230-1', 32, '2026-10-01'),
      meta: { security: [SECRET] },
    });
    await run();
    const [higher] = await here.all('RiskAssessment', { subject: 'Patient/fay' });
    expect(higher).toMatchObject({ prediction: [{ qualitativeRisk: { coding: [{ code: 'high' }] } }] });
    expect(higher?.meta?.security).toEqual([SECRET]);
    expect((await here.membership('heart-failure-high-risk', 'fay'))?.active).toBe(true);
    await here.remove('Condition', 'fay-hf');
    await run();
    const [none] = await here.all('RiskAssessment', { subject: 'Patient/fay' });
    expect(none?.status).toBe('cancelled');
    expect(none?.prediction).toBeUndefined();
    expect(await here.status('heart-failure-high-risk', 'fay')).toBe('off');
  });

  it('ends all memberships of who died, and of a record that is deleted', async () => {
    await here.put(person('gus'), condition('gus-copd', 'gus', 'J44.9'), person('hal'));
    await here.put(condition('hal-copd', 'hal', 'J44.9'));
    await run();
    await here.put({ ...person('gus'), deceasedBoolean: true } as ReturnType<typeof person>);
    await here.remove('Condition', 'hal-copd');
    await here.remove('Patient', 'hal');
    await run();
    expect([await here.status('copd', 'gus'), await here.status('copd', 'hal')]).toEqual(['off', 'off']);
  });

  it('sets right what somebody else did to a membership', async () => {
    await here.put(person('ida'), condition('ida-copd', 'ida', 'J44.9'));
    await run();
    const group = await here.membership('copd', 'ida');
    if (!group) throw new Error('no membership');
    const { characteristic: _characteristic, member: _member, ...rest } = group;
    await here.put({ ...rest, active: false });
    await run();
    expect(await here.status('copd', 'ida')).toBe('on');
    await here.remove('Group', group.id ?? '');
    await run();
    expect(await here.status('copd', 'ida')).toBe('on');
  });

  it('asks a social need whether a referral is for it', async () => {
    const category = [
      { coding: [{ system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-category', code: 'sdoh' }] },
    ];
    await here.put(person('joy'), condition('joy-food', 'joy', 'Z59.41', { category }));
    await run();
    expect(await here.status('social-need-without-referral', 'joy')).toBe('on');
    await here.put({
      resourceType: 'ServiceRequest',
      id: 'joy-pantry',
      status: 'active',
      intent: 'order',
      subject: { reference: 'Patient/joy' },
      reasonReference: [{ reference: 'Condition/joy-food' }],
    });
    await run();
    expect(await here.status('social-need-without-referral', 'joy')).toBe('off');
  });

  it('needs age, frailty and strain together', async () => {
    await here.put(person('kim', '1950-01-01'), condition('kim-frail', 'kim', 'R54'));
    await run();
    expect(await here.status('frail-elder-caregiver-strain', 'kim')).toBe('never');
    const { valueQuantity: _, ...strain } = measured('kim-strain', 'kim', '42821-9', 0, '2026-11-01');
    const system = 'https://baton.health/fhir/CodeSystem/caregiver-strain';
    await here.put({ ...strain, valueCodeableConcept: { coding: [{ system, code: 'severe' }] } });
    await run();
    expect(await here.status('frail-elder-caregiver-strain', 'kim')).toBe('on');
  });
});

describe('from the clock', () => {
  it('puts on whose last HbA1c got old, once a day, and lets go at 8 %', async () => {
    await here.put(person('lou'), condition('lou-dm', 'lou', 'E11.9'));
    await here.put(measured('lou-a1c', 'lou', '4548-4', 7, '2026-11-20'));
    await here.registry.tick();
    expect(await here.status('diabetes-out-of-control', 'lou')).toBe('never');
    here.at('2027-06-01T15:00:00Z');
    expect(await run()).toBeGreaterThanOrEqual(0);
    expect(await here.status('diabetes-out-of-control', 'lou')).toBe('never');
    expect(await here.registry.sweep()).toBeGreaterThan(5);
    expect(await here.status('diabetes-out-of-control', 'lou')).toBe('on');
    expect(await here.registry.sweep()).toBe(0);
    await here.put(measured('lou-a1c-2', 'lou', '4548-4', 8.6, '2027-06-01'));
    await run();
    expect(await here.status('diabetes-out-of-control', 'lou')).toBe('on');
    await here.put(measured('lou-a1c-3', 'lou', '4548-4', 7.4, '2027-06-02'));
    await run();
    expect(await here.status('diabetes-out-of-control', 'lou')).toBe('off');
  });
});

describe('a sweep', () => {
  it('lets others in between any two patients', async () => {
    const people = Array.from({ length: 60 }, (_, at) => person(`crowd-${at}`));
    await here.put(...people);
    await run();
    here.at('2027-08-01T15:00:00Z');
    let turns = 0;
    let isSweeping = true;
    const count = () => {
      turns += 1;
      if (isSweeping) setImmediate(count);
    };
    setImmediate(count);
    const swept = await here.registry.sweep();
    isSweeping = false;
    expect(swept).toBeGreaterThanOrEqual(people.length);
    expect(turns).toBeGreaterThanOrEqual(swept);
  });
});

describe('rules that change', () => {
  it('are evaluated for everybody, also after a restart, and end panels that are no more', async () => {
    await here.put(person('mia'), condition('mia-copd', 'mia', 'J44.9'));
    await here.registry.tick();
    expect(await here.registry.sweep()).toBe(0);
    const without = { ...PANELS, panels: PANELS.panels.filter(({ code }) => code !== 'copd'), fingerprint: 'other' };
    await here.restart(without);
    await here.registry.tick();
    expect(await here.status('copd', 'mia')).toBe('off');
    await here.restart();
    await here.registry.tick();
    expect(await here.status('copd', 'mia')).toBe('on');
  });
});

describe('two at once', () => {
  it('write what one would', async () => {
    const other = here.open();
    const ids = Array.from({ length: 12 }, (_, index) => `twin-${index}`);
    for (const id of ids) await here.put(person(id), condition(`${id}-copd`, id, 'J44.9'));
    await Promise.all([here.registry.tick(), other.tick(), here.registry.run(), other.run()]);
    for (const id of ids) {
      const group = await here.membership('copd', id);
      expect(group && statusOf(group)).toBe('on');
      expect(group?.member).toHaveLength(1);
      expect(group?.meta?.versionId).toBe('1');
    }
  });

  it('finish the sweep of one that was stopped in the middle of it', async () => {
    const ids = Array.from({ length: 130 }, (_, index) => `many-${index}`);
    const all = ids.flatMap((id) => [person(id), condition(`${id}-copd`, id, 'J44.9')]);
    await here.store.commit(
      NURSE,
      all.map((resource) => ({ op: 'update' as const, resource })),
    );
    here.at('2026-12-24T15:00:00Z');
    const first = here.open();
    let seen = 0;
    const unfollow = here.store.onCommit(() => {
      seen += 1;
      if (seen === 40) first.stop();
    });
    const swept = await first.sweep();
    unfollow();
    expect(swept).toBeGreaterThan(0);
    expect(await here.registry.sweep()).toBeGreaterThan(0);
    expect(await here.registry.sweep()).toBe(0);
    const statuses = await Promise.all(ids.map((id) => here.status('copd', id)));
    expect(new Set(statuses)).toEqual(new Set(['on']));
  });

  it('go on where a stopped one was', async () => {
    const stopped = here.open();
    stopped.stop();
    await here.put(person('nan'), condition('nan-copd', 'nan', 'J44.9'));
    expect(await stopped.run()).toBe(0);
    expect(await here.status('copd', 'nan')).toBe('never');
    await here.registry.run();
    expect(await here.status('copd', 'nan')).toBe('on');
  });
});
