// The status machines as data, and the answers that are made from them.
import { readFileSync } from 'node:fs';
import type { CareTeam, Goal, Resource, Task } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { replaceGenerated } from '../../../scripts/docs.ts';
import { statusTables } from '../../../scripts/status-tables.ts';
import { ACHIEVEMENTS } from '../../../src/fhir/status/achievement.ts';
import { type AnyMachine, isEnd, isReachable } from '../../../src/fhir/status/machine.ts';
import { ALL_MACHINES, GOVERNED, machineOf } from '../../../src/fhir/status/machine-of.ts';
import { isReferral, REFERRAL, SET_BY } from '../../../src/fhir/status/referral.ts';
import { type ActorFacts, next, refuseStep } from '../../../src/fhir/status/step.ts';
import { isTerminal } from '../../../src/fhir/status/task.ts';
import { testDefinitions } from '../../support/store-rules.ts';

const ANYBODY: ActorFacts = { parties: 'any', mayLeap: false };
const LEAPS: ActorFacts = { parties: 'any', mayLeap: true };
const statusesOf = ({ successors }: AnyMachine) => Object.keys(successors);
const typeOf = (machine: AnyMachine) => machine.name.replace('referral ', '');
const profile = 'https://baton.health/fhir/StructureDefinition/baton-referral-task';

function inStatus(machine: AnyMachine, status: string, more: object = {}): Resource {
  const claim = machine === REFERRAL ? { meta: { profile: [profile] } } : {};
  return { resourceType: typeOf(machine), ...claim, [machine.element]: status, ...more } as unknown as Resource;
}

const anyMachine = fc.constantFrom(...ALL_MACHINES);
const anyPair = anyMachine.chain((machine) => {
  const status = fc.constantFrom(...statusesOf(machine));
  return fc.tuple(fc.constant(machine), status, status);
});

test('the page has the tables as they are', () => {
  const page = readFileSync(new URL('../../../docs/status-machines.md', import.meta.url), 'utf8');
  expect(replaceGenerated(page, statusTables(), 'statuses'), 'run `npm run docs`').toBe(page);
});

describe('every machine', () => {
  test('has exactly the codes that the standard has', () => {
    for (const machine of ALL_MACHINES) {
      const system = {
        Task: 'http://hl7.org/fhir/ValueSet/task-status',
        CarePlan: 'http://hl7.org/fhir/ValueSet/request-status',
        Goal: 'http://hl7.org/fhir/ValueSet/goal-status',
        ServiceRequest: 'http://hl7.org/fhir/ValueSet/request-status',
        EpisodeOfCare: 'http://hl7.org/fhir/ValueSet/episode-of-care-status',
        CareTeam: 'http://hl7.org/fhir/ValueSet/care-team-status',
      }[typeOf(machine)];
      const codes = testDefinitions.terminology.codes(system ?? '')?.all;
      expect(codes?.toSorted(), machine.name).toEqual(statusesOf(machine).sort());
    }
  });

  test('answers every pair, with statuses that it has', () => {
    for (const machine of ALL_MACHINES) {
      for (const [from, successors] of Object.entries(machine.successors)) {
        for (const to of successors ?? []) expect(statusesOf(machine), `${machine.name} ${from}`).toContain(to);
        expect(new Set(successors).size).toBe(successors?.length);
        expect(successors).not.toContain(from);
      }
    }
  });

  test('takes everything as entered in error, once and for all', () => {
    for (const machine of ALL_MACHINES) {
      for (const from of statusesOf(machine)) {
        const expected = from === 'entered-in-error' ? 0 : 1;
        const steps = machine.successors[from]?.filter((to) => to === 'entered-in-error').length;
        expect(steps, `${machine.name} ${from}`).toBe(expected);
      }
      expect(machine.successors['entered-in-error']).toEqual([]);
    }
  });

  test('reaches an end from everywhere, and never comes back from one', () => {
    for (const machine of ALL_MACHINES) {
      const ends = statusesOf(machine).filter((status) => isEnd(machine, status));
      for (const from of statusesOf(machine)) {
        expect(ends.some((end) => isReachable(machine, from, end))).toBe(true);
        if (!ends.includes(from)) continue;
        const reached = statusesOf(machine).filter((to) => to !== from && isReachable(machine, from, to));
        expect(reached).toEqual(from === 'entered-in-error' ? [] : ['entered-in-error']);
      }
    }
  });

  test('allows exactly what its table has, and names it otherwise', () => {
    fc.assert(
      fc.property(anyPair, ([machine, from, to]) => {
        const [before, after] = [inStatus(machine, from), inStatus(machine, to)];
        const refusal = refuseStep(before, after, ANYBODY);
        expect(refusal === undefined).toBe(from === to || machine.successors[from]?.includes(to));
        expect(next(before, ANYBODY)).toEqual(machine === REFERRAL ? legal(from) : machine.successors[from]);
        if (!refusal) return;
        expect(refusal.expression).toBe(`${typeOf(machine)}.${machine.element}`);
        for (const one of refusal.next) expect(refusal.sentence).toContain(one);
      }),
    );
  });

  test('lets who may leap go wherever single steps lead, and nowhere else', () => {
    fc.assert(
      fc.property(anyPair, ([machine, from, to]) => {
        const leap = refuseStep(inStatus(machine, from), inStatus(machine, to), LEAPS) === undefined;
        expect(leap).toBe(isReachable(machine, from, to));
        let walked = new Set([from]);
        for (let size = 0; size !== walked.size; ) {
          size = walked.size;
          walked = new Set([...walked, ...[...walked].flatMap((status) => machine.successors[status] ?? [])]);
        }
        expect(leap).toBe(walked.has(to));
      }),
    );
  });
});

const legal = (from: string) => REFERRAL.successors[from as Task['status']];

describe('what a step is asked of', () => {
  test('types without a machine change as they like', () => {
    expect(GOVERNED.has('Encounter')).toBe(false);
    const encounter = (status: string) => ({ resourceType: 'Encounter', status }) as Resource;
    expect(refuseStep(encounter('finished'), encounter('planned'), ANYBODY)).toBeUndefined();
    expect(next(encounter('finished'), ANYBODY)).toEqual([]);
  });

  test('a team without a status may get one, and does not lose it again', () => {
    const team = (status?: CareTeam['status']): CareTeam => ({
      resourceType: 'CareTeam',
      ...(status ? { status } : {}),
    });
    expect(refuseStep(team(), team('inactive'), ANYBODY)).toBeUndefined();
    expect(next(team(), ANYBODY)).toContain('active');
    expect(refuseStep(team('active'), team(), ANYBODY)?.sentence).toBe(
      'A CareTeam that is active cannot be left without a status; it can become suspended, inactive or entered-in-error.',
    );
  });

  test('sentences', () => {
    const episode = (status: string) => ({ resourceType: 'EpisodeOfCare', status }) as Resource;
    expect(refuseStep(episode('finished'), episode('active'), ANYBODY)?.sentence).toBe(
      'An EpisodeOfCare that is finished cannot become active; it can become entered-in-error.',
    );
    expect(refuseStep(episode('entered-in-error'), episode('active'), ANYBODY)?.sentence).toBe(
      'An EpisodeOfCare that is entered-in-error cannot become active; it stays as it is.',
    );
  });

  test('a Task has ended when nothing but an error can follow', () => {
    expect((['rejected', 'cancelled', 'failed', 'completed', 'entered-in-error'] as const).every(isTerminal)).toBe(
      true,
    );
    expect((['draft', 'requested', 'on-hold'] as const).some(isTerminal)).toBe(false);
  });
});

describe('how far a Goal is reached', () => {
  const goal = (lifecycleStatus: Goal['lifecycleStatus'], code?: string): Goal => ({
    ...{ resourceType: 'Goal', lifecycleStatus, description: { text: 'Walk' }, subject: { reference: 'Patient/1' } },
    ...(code ? { achievementStatus: { coding: [{ system: SYSTEM, code }] } } : {}),
  });
  const SYSTEM = 'http://terminology.hl7.org/CodeSystem/goal-achievement';

  test('goes any way while somebody works towards it', () => {
    for (const from of ACHIEVEMENTS)
      for (const to of ACHIEVEMENTS)
        expect(refuseStep(goal('active', from), goal('active', to), ANYBODY)).toBeUndefined();
  });

  test('is no code that the system lacks, and nothing of a goal that is only proposed', () => {
    expect(refuseStep(goal('active'), goal('active', 'done'), ANYBODY)?.sentence).toContain('achieved, sustaining');
    expect(refuseStep(goal('proposed'), goal('proposed', 'achieved'), ANYBODY)?.expression).toBe(
      'Goal.achievementStatus',
    );
    expect(refuseStep(goal('proposed'), goal('accepted', 'in-progress'), ANYBODY)).toBeUndefined();
    // What was there already, or comes from another server, is as it is.
    expect(refuseStep(goal('proposed', 'done'), goal('active', 'done'), ANYBODY)).toBeUndefined();
    expect(refuseStep(goal('active'), goal('active', 'done'), LEAPS)).toBeUndefined();
    const own = goal('active');
    own.achievementStatus = { text: 'halfway', coding: [{ system: 'urn:own', code: 'halfway' }] };
    expect(refuseStep(goal('active'), own, ANYBODY)).toBeUndefined();
  });
});

describe('a referral', () => {
  const task = (status: Task['status'], more: Partial<Task> = {}): Task => ({
    ...{ resourceType: 'Task', status, intent: 'order' },
    code: { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'fulfill' }] },
    focus: { reference: 'ServiceRequest/1' },
    requester: { reference: 'PractitionerRole/nurse' },
    owner: { reference: 'Organization/pantry' },
    ...more,
  });
  const nurse: ActorFacts = {
    parties: new Set(['Practitioner/nurse', 'PractitionerRole/nurse', 'Organization/agency']),
    mayLeap: false,
  };
  const pantry: ActorFacts = { parties: new Set(['Practitioner/anna', 'Organization/pantry']), mayLeap: false };
  const stranger: ActorFacts = { parties: new Set(['Practitioner/other']), mayLeap: false };

  test('is a Task that fulfils an order, or claims to', () => {
    expect(isReferral(task('requested'))).toBe(true);
    expect(isReferral({ ...task('requested'), focus: { reference: 'MedicationRequest/1' } })).toBe(false);
    const { code: _, ...other } = task('requested');
    expect(isReferral(other)).toBe(false);
    expect(isReferral({ ...other, meta: { profile: [`${profile}|1.0`] } })).toBe(true);
  });

  test('is one as long as it was one', () => {
    const { code: _, focus: _focus, ...plain } = task('received');
    expect(machineOf(task('requested'), plain)).toBe(REFERRAL);
    expect(refuseStep(task('requested'), plain, nurse)?.sentence).toContain('cannot become received');
  });

  test('has ten statuses: nothing leads to the other two, and something leads out of them', () => {
    const targets = new Set(Object.values(REFERRAL.successors).flat());
    expect(targets.has('received') || targets.has('ready')).toBe(false);
    expect(Object.entries(SET_BY).filter(([, sides]) => sides.length > 0)).toHaveLength(10);
    expect(refuseStep(task('received'), task('accepted'), pantry)).toBeUndefined();
  });

  test('each side sets what is its own to set', () => {
    fc.assert(
      fc.property(fc.constantFrom(...(Object.keys(SET_BY) as Task['status'][])), anyPair, (from, [, , code]) => {
        const to = code as Task['status'];
        if (!(to in SET_BY) || from === to || !REFERRAL.successors[from].includes(to)) return;
        for (const [side, actor] of [
          ['requester', nurse],
          ['owner', pantry],
        ] as const) {
          const isTheirs = SET_BY[to].includes(side);
          expect(refuseStep(task(from), task(to), actor) === undefined).toBe(isTheirs);
          expect(next(task(from), actor).includes(to)).toBe(isTheirs);
        }
        expect(refuseStep(task(from), task(to), stranger)?.next).toEqual([]);
        expect(refuseStep(task(from), task(to), ANYBODY)).toBeUndefined();
      }),
    );
  });

  test('is told to who tries the other side', () => {
    expect(refuseStep(task('requested'), task('accepted'), nurse)?.sentence).toBe(
      'Only the owner of a referral Task sets it to accepted; yours to set: cancelled or entered-in-error.',
    );
    expect(refuseStep(task('draft'), task('requested'), pantry)?.sentence).toBe(
      'Only the requester of a referral Task sets it to requested; yours to set: cancelled.',
    );
    expect(refuseStep(task('requested'), task('cancelled'), stranger)?.sentence).toBe(
      'Only the requester or owner of a referral Task sets it to cancelled; no other status is yours to set.',
    );
  });

  test('that is open belongs to who claims it by accepting it', () => {
    const { owner: _, ...open } = task('requested');
    expect(next(open, pantry)).toContain('accepted');
    expect(refuseStep(open, task('accepted'), pantry)).toBeUndefined();
    expect(refuseStep(open, { ...open, status: 'accepted' }, pantry)).toBeDefined();
    expect(refuseStep(open, task('accepted', { owner: { reference: 'Organization/other' } }), pantry)).toBeDefined();
    expect(refuseStep(open, task('rejected'), pantry)).toBeDefined();
  });

  test('without a requester may be withdrawn by anybody who may write it', () => {
    const { requester: _, ...orphan } = task('requested');
    expect(refuseStep(orphan, { ...orphan, status: 'cancelled' }, stranger)).toBeUndefined();
  });
});
