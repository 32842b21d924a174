// A patient whose record is merged after the discharge: the transition goes on under the record that stays, once.
import type { CarePlan, EpisodeOfCare, Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createIntake } from '../../src/intake/receive.ts';
import { bytes, edited, fixture } from '../intake/fixture.ts';
import { testParameters } from '../support/store-rules.ts';
import { FACILITIES, type Hospital, openHospital } from './hospital.ts';

const [admit, discharge] = [fixture('a01-admit'), fixture('a03-discharge')];
const merge = `${admit.split('\r').slice(0, 3).join('\r')}\rMRG|OLD^^^HARBOR^MR\r`;
const kept = { 'PID-3': 'NEW^^^HARBOR^MR', 'EVN-2': '20261125161500' };

function intakeOf({ store, temp: { clock } }: Hospital) {
  const log = pino({ level: 'silent' });
  const intake = createIntake({ store, clock, facilities: FACILITIES, parameters: testParameters, log });
  return async (message: string, fields: Record<string, string>) => {
    const { code } = await intake.receive(bytes(edited(message, fields)), 'mllp');
    expect(code).toBe('AA');
  };
}

it('the transition of a merged patient goes on under the survivor', async () => {
  const hospital = await openHospital();
  const { temp } = hospital;
  try {
    hospital.at('2026-11-25T16:30:00-05:00');
    const receive = intakeOf(hospital);
    const send = async (...given: Parameters<typeof receive>) => {
      await receive(...given);
      await hospital.run();
    };
    await send(admit, { 'PID-3': 'OLD^^^HARBOR^MR' });
    await send(discharge, { 'PID-3': 'OLD^^^HARBOR^MR' });
    const before = await hospital.all('Task');
    expect(before.length).toBeGreaterThan(2);
    await send(admit, { ...kept, 'MSH-9': 'ADT^A28', 'MSH-10': 'M1', 'EVN-2': '20261120' });
    await send(merge, { ...kept, 'MSH-9': 'ADT^A40', 'MSH-10': 'M2' });
    // Told again under the new number.
    await send(discharge, { ...kept, 'MSH-10': 'M3', 'EVN-2': '20261125162000' });

    const [survivor] = await hospital.all('Patient', { identifier: 'https://baton.health/fhir/sid/HARBOR|NEW' });
    const mine = `Patient/${survivor?.id}`;
    const tasks: Task[] = await hospital.all('Task');
    expect(tasks.map(({ id, status }) => [id, status]).sort()).toEqual(
      before.map(({ id, status }) => [id, status]).sort(),
    );
    expect(new Set(tasks.map((task) => task.for?.reference))).toEqual(new Set([mine]));
    const plans: CarePlan[] = await hospital.all('CarePlan');
    const episodes: EpisodeOfCare[] = await hospital.episodes();
    // Those of the transition, and of the notice of the stay that Medicare pays.
    const both = [
      ['active', mine],
      ['active', mine],
    ];
    expect(plans.map(({ status, subject }) => [status, subject.reference])).toEqual(both);
    expect(episodes.map(({ status, patient }) => [status, patient.reference])).toEqual(both);
  } finally {
    await temp.cleanup();
  }
});

it('a discharge that is planned while its patient’s record is merged is the survivor’s, once', async () => {
  const hospital = await openHospital();
  const { store, temp } = hospital;
  try {
    hospital.at('2026-11-25T16:30:00-05:00');
    const send = intakeOf(hospital);
    await send(admit, { ...kept, 'MSH-9': 'ADT^A28', 'MSH-10': 'M1', 'EVN-2': '20261120' });
    await send(admit, { 'PID-3': 'OLD^^^HARBOR^MR' });
    await send(discharge, { 'PID-3': 'OLD^^^HARBOR^MR' });
    let tries = 0;
    const commit: typeof store.commit = async (actor, changes, ...rest) => {
      const begins = changes.some((one) => one.op === 'create' && one.resource.resourceType === 'EpisodeOfCare');
      tries += begins ? 1 : 0;
      if (begins && tries === 1) await send(merge, { ...kept, 'MSH-9': 'ADT^A40', 'MSH-10': 'M2' });
      return store.commit(actor, changes, ...rest);
    };
    await hospital.openTransitions({ store: { ...store, commit } }).run();
    expect(tries).toBe(2);
    const [survivor] = await hospital.all('Patient', { identifier: 'https://baton.health/fhir/sid/HARBOR|NEW' });
    const mine = `Patient/${survivor?.id}`;
    const episodes: EpisodeOfCare[] = await hospital.episodes();
    const plans: CarePlan[] = await hospital.all('CarePlan');
    const tasks: Task[] = await hospital.all('Task');
    expect(new Set(tasks.map((task) => task.for?.reference))).toEqual(new Set([mine]));
    expect(plans.map(({ status, subject }) => [status, subject.reference])).toEqual([['active', mine]]);
    expect(episodes.map(({ status, patient }) => [status, patient.reference])).toEqual([['active', mine]]);
  } finally {
    await temp.cleanup();
  }
});
