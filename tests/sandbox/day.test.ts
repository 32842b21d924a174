// The scripted day: resumable step by step, messages that Baton accepts, a nurse who never doubles her work.
import type { Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { startMllpServer } from '../../src/intake/mllp/server.ts';
import { createIntake } from '../../src/intake/receive.ts';
import { createClockMover } from '../../src/sandbox/clock-mover.ts';
import { DAY, type DayActs, type DayOptions, runDay } from '../../src/sandbox/day.ts';
import { openDayProgress } from '../../src/sandbox/day-progress.ts';
import { sendFixture } from '../../src/sandbox/hospital.ts';
import { type CallEhr, completeInEhr } from '../../src/sandbox/nurse.ts';
import { openSandboxClock } from '../../src/sandbox/sandbox-clock.ts';
import { SANDBOX_FACILITY } from '../../src/sandbox/sandbox-config.ts';
import { createStory } from '../../src/sandbox/story/story.ts';
import { testParameters } from '../support/store-rules.ts';
import { openTempStore } from '../support/temp-store.ts';
import { startEhr, temporaryFolder } from './ehr-server.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function folder(): Promise<string> {
  const { path, remove } = await temporaryFolder();
  cleanups.push(remove);
  return path;
}

describe('runDay', () => {
  /** A run in `dataDir` that dies in the act number `dieAt`, before or after its effect. */
  async function run(
    dataDir: string,
    done: string[],
    dieAt = Number.POSITIVE_INFINITY,
    died: 'before' | 'after' = 'after',
  ) {
    const clock = openSandboxClock(dataDir);
    const stop = new AbortController();
    let acts = 0;
    const act = async (what: string) => {
      acts += 1;
      if (acts === dieAt) stop.abort();
      if (acts < dieAt || (acts === dieAt && died === 'after'))
        done.push(`${what} ${clock.now().toString().slice(0, 13)}Z`);
      if (acts >= dieAt) throw new Error('killed');
    };
    const options: DayOptions = {
      progress: openDayProgress(dataDir),
      mover: createClockMover(clock, async () => {}),
      acts: {
        send: act,
        complete: ({ mrn, step }) => act(`${mrn}/${step}`),
        requirePulled: ({ mrn, step }) => act(`pulled ${mrn}/${step}`),
        showPlan: (mrn) => act(`show ${mrn}`),
        requireAllSent: () => act('all sent'),
        end: async () => {},
      } satisfies DayActs,
      signal: stop.signal,
      onFailure: async (_step, error) => Promise.reject(error),
    };
    await runDay(options);
    return acts;
  }

  it('does everything once, in order, at its time', async () => {
    const done: string[] = [];
    const dataDir = await folder();
    const acts = await run(dataDir, done);
    expect(done).toHaveLength(acts);
    expect(done[0]).toBe('01-admit-okafor.hl7 2026-11-20T14Z');
    expect(done.at(-1)).toBe('all sent 2026-12-01T13Z');
    expect(await run(dataDir, done)).toBe(0);
  });

  it('repeats at most the step it was killed in, wherever that was', async () => {
    const whole: string[] = [];
    const total = await run(await folder(), whole);
    for (let dieAt = 1; dieAt <= total; dieAt++) {
      for (const died of ['before', 'after'] as const) {
        const done: string[] = [];
        const dataDir = await folder();
        await run(dataDir, done, dieAt, died);
        await run(dataDir, done);
        expect([...new Set(done)]).toEqual(whole);
      }
    }
  });

  it('tries a failed step again until it works, and so the end', async () => {
    const clock = openSandboxClock(undefined);
    cleanups.push(clock.stop);
    let [failures, failuresOfEnd] = [3, 2];
    const failed: string[] = [];
    await runDay(
      {
        progress: openDayProgress(undefined),
        mover: createClockMover(clock, async () => {}),
        acts: {
          send: async () => {
            if (failures-- > 0) throw new Error('no connection');
          },
          complete: async () => {},
          requirePulled: async () => {},
          showPlan: async () => {},
          requireAllSent: async () => {},
          end: async () => {
            if (failuresOfEnd-- > 0) throw new Error('no store');
          },
        },
        signal: new AbortController().signal,
        onFailure: async (step) => void failed.push(step),
      },
      DAY.slice(0, 2),
    );
    expect(failed).toEqual(['admit-okafor', 'admit-okafor', 'admit-okafor', 'end', 'end']);
  });
});

describe('the messages', () => {
  it('are accepted over MLLP, change nothing the second time, and are told once', async () => {
    const temp = await openTempStore();
    const log = pino({ level: 'silent' });
    const intake = createIntake({
      store: temp.store,
      clock: temp.clock,
      facilities: [SANDBOX_FACILITY],
      parameters: testParameters,
      log,
    });
    const server = await startMllpServer({
      host: '127.0.0.1',
      port: 0,
      receive: (bytes) => intake.receive(bytes, 'mllp'),
      refuseTooLong: intake.refuseTooLong,
      log,
    });
    cleanups.push(temp.cleanup, () => server.close());
    const files = DAY.flatMap(({ message }) => message ?? []);
    expect(files).toHaveLength(7);
    const target = { host: '127.0.0.1', port: server.port };
    for (const file of files) await sendFixture(file, target);
    const head = await temp.store.head();
    for (const file of files) await sendFixture(file, target);
    expect(await temp.store.head()).toBe(head);
    expect(await temp.store.find('Patient')).toHaveLength(3);
    expect(await temp.store.find('Encounter?status=finished')).toHaveLength(2);

    const lines: string[] = [];
    const dataDir = await folder();
    const story = () =>
      createStory({
        store: temp.store,
        clock: temp.clock,
        progress: openDayProgress(dataDir),
        facility: SANDBOX_FACILITY.name,
        zone: SANDBOX_FACILITY.zone,
        baseUrl: () => 'http://baton.test',
        signIn: [],
        issueToken: async () => 'short-lived',
        write: (text) => lines.push(...text.split('\n').filter(Boolean)),
      });
    await story().catchUp();
    await story().catchUp();
    const text = lines.join('\n');
    expect(text.match(/is admitted/g)).toHaveLength(3);
    expect(text.match(/leaves the hospital/g)).toHaveLength(3);
    expect(text).toContain('Eleanor Okafor is admitted: Acute on chronic systolic (congestive) heart failure.');
    expect(text).toContain('The hospital takes the discharge of Ruth Delgado back.');
    await story().end();
    expect(lines).toContain('  TOKEN=short-lived');
    expect(lines.at(-1)).toBe('Baton stays up; Ctrl-C stops it.');
  });
});

describe('a nurse in the EHR', () => {
  const key = 'episode|contact|1';
  const task: Task = {
    resourceType: 'Task',
    identifier: [{ system: 'urn:baton:follow-up', value: key }],
    status: 'requested',
    intent: 'order',
  };
  const when = Temporal.Instant.from('2026-11-30T15:05:00Z');

  async function ehr() {
    const server = await startEhr(await folder());
    cleanups.push(() => server.stop());
    const call: CallEhr = async (method, path, body, ifMatch) =>
      server.call(method, path, body, ifMatch === undefined ? {} : { 'if-match': ifMatch });
    return { ...server, door: call };
  }

  it('completes a follow-up once, however often the step runs', async () => {
    const { door, call } = await ehr();
    const { body } = await call<Task>('POST', '/Task', task);
    await completeInEhr(door, key, 'Reached.', when);
    await completeInEhr(door, key, 'Reached.', when);
    const { body: done } = await call<Task>('GET', `/Task/${body.id}`);
    expect([done.status, done.meta?.versionId, done.note?.map(({ text }) => text)]).toEqual([
      'completed',
      '2',
      ['Reached.'],
    ]);
  });

  it('looks again when Baton saved the Task in between', async () => {
    const { door, call } = await ehr();
    const { body } = await call<Task>('POST', '/Task', task);
    let interrupted = false;
    const slow: CallEhr = async (method, path, sent, ifMatch) => {
      if (method === 'PUT' && !interrupted) {
        interrupted = true;
        await call('PUT', `/Task/${body.id}`, { ...body, description: 'Saved by Baton' });
      }
      return door(method, path, sent, ifMatch);
    };
    await completeInEhr(slow, key, 'Reached.', when);
    const { body: done } = await call<Task>('GET', `/Task/${body.id}`);
    expect([done.status, done.description, done.meta?.versionId]).toEqual(['completed', 'Saved by Baton', '3']);
  });

  it('says what is missing when the follow-up is not there', async () => {
    const { door } = await ehr();
    await expect(completeInEhr(door, key, 'Reached.', when)).rejects.toThrow(`no follow-up ${key}`);
  });
});
