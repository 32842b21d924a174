// What the scripted day does to the world: the hospital sends, the nurse works in the EHR, the story looks there.

import { findResources } from '../care/stored.ts';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import type { Store } from '../store/store.ts';
import type { Completion, DayActs } from './day.ts';
import { sendFixture } from './hospital.ts';
import { type CallEhr, completeInEhr } from './nurse.ts';
import { requireAllSent } from './quiet.ts';
import { SANDBOX_FACILITY } from './sandbox-config.ts';
import { type FollowUp, followUpOf } from './story/facts.ts';
import type { Story } from './story/story.ts';

export interface DayWorld {
  readonly store: Store;
  readonly clock: Clock;
  readonly story: Story;
  readonly callEhr: CallEhr;
  readonly ehrBase: () => string;
  readonly mllp: () => { readonly host: string; readonly port: number } | undefined;
}

export function createDayActs({ store, clock, story, callEhr, ehrBase, mllp }: DayWorld): DayActs {
  return {
    async send(file) {
      const target = mllp();
      if (target) await sendFixture(file, target);
    },
    async complete(completion) {
      const { key } = await followUpFor(store, completion);
      await completeInEhr(callEhr, key, completion.note, clock.now());
    },
    async requirePulled(completion) {
      const { status, title } = await followUpFor(store, completion);
      if (status === 'completed') return;
      throw new Fault('unavailable', `Baton has not heard yet from the EHR that "${title}" is done.`);
    },
    async showPlan(mrn) {
      const [plan] = await findResources(store, 'CarePlan', { status: 'active', subject: await patientOf(store, mrn) });
      if (!plan?.id) throw new Fault('not-found', `Baton has made no plan for patient ${mrn}.`);
      await story.showInEhr(plan.id, callEhr, ehrBase());
    },
    requireAllSent: () => requireAllSent(store),
    end: () => story.end(),
  };
}

async function patientOf(store: Store, mrn: string): Promise<string> {
  const identifier = `https://baton.health/fhir/sid/${SANDBOX_FACILITY.code}|${mrn}`;
  const [patient] = await findResources(store, 'Patient', { identifier });
  if (!patient) throw new Fault('not-found', `Baton has no patient ${mrn}.`);
  return `Patient/${patient.id}`;
}

/** @throws Fault not-found when Baton has no such follow-up */
async function followUpFor(store: Store, { mrn, step }: Completion): Promise<FollowUp> {
  const tasks = await findResources(store, 'Task', { subject: await patientOf(store, mrn) });
  const found = tasks.flatMap((task) => followUpOf(task) ?? []).find((told) => told.step === step);
  if (!found) throw new Fault('not-found', `Baton has no follow-up ${step} for patient ${mrn}.`);
  return found;
}
