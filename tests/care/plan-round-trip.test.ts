// Concept to FHIR to concept is identity; FHIR to command to FHIR changes what the command is about, and nothing else.
import type { CarePlan, Condition, Goal, Resource, Task } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withAcceptance } from '../../src/care/goals/acceptance.ts';
import { goalOf, revisedGoal, viewGoal } from '../../src/care/goals/goal.ts';
import { movedGoal } from '../../src/care/goals/move-goal.ts';
import { observationOf, viewProgress } from '../../src/care/goals/progress.ts';
import { viewActivity } from '../../src/care/interventions/activity-view.ts';
import { interventionOf, rescheduled, revisedIntervention } from '../../src/care/interventions/intervention.ts';
import { movedTask } from '../../src/care/interventions/move-intervention.ts';
import { forPatient, notForPatient } from '../../src/care/interventions/patient-task.ts';
import { needOf, revisedNeed, viewNeed } from '../../src/care/needs/need.ts';
import { settledNeed } from '../../src/care/needs/settle-need.ts';
import { revisedPlan } from '../../src/care/plans/change-plan.ts';
import { newPlan } from '../../src/care/plans/new-plan.ts';
import { withAdded } from '../../src/care/plans/plan-of-case.ts';
import { reviewed, reviewOf } from '../../src/care/reviews/review.ts';
import { createConformance } from '../../src/fhir/conformance.ts';
import { NO_PROFILE_RULES } from '../../src/fhir/validation/profile-rules.ts';
import { artifacts } from './artifacts.ts';
import * as sample from './plan-samples.ts';

const { caller, organization, subject, kept } = sample;
const aCase = {
  episode: kept({ resourceType: 'EpisodeOfCare', status: 'active', patient: subject }),
  subject,
} as never;
const conformance = createConformance(artifacts, NO_PROFILE_RULES);

/** Valid against R4 and against what it claims; guides that are not installed here give warnings. */
function expectValid(resource: Resource): void {
  const errors = conformance.validate(resource).filter(({ severity }) => severity === 'error' || severity === 'fatal');
  expect(errors).toEqual([]);
}

const runs = { numRuns: 60 };
const check = <T>(inputs: fc.Arbitrary<T>, law: (input: T) => void) => fc.assert(fc.property(inputs, law), runs);

describe('what is sent is what is shown', () => {
  it('for needs', () => {
    check(sample.needInput, (input) => {
      const need = needOf(input, { subject }, caller);
      expectValid(need);
      expect(viewNeed(kept(need))).toMatchObject({ verification: 'confirmed', ...input });
    });
  });

  it('for goals', () => {
    check(sample.goalInput, (input) => {
      const goal = goalOf(input, { subject }, caller);
      expectValid(goal);
      expect(viewGoal(kept(goal), caller)).toMatchObject({ status: 'active', start: '2026-11-28', ...input });
    });
  });

  it('for progress', () => {
    check(sample.progressInput, ({ note, ...input }) => {
      const observation = observationOf({ id: 'g1', subject }, { ...input, ...(note ? { note } : {}) }, caller);
      expectValid(observation);
      expect(viewProgress(kept(observation))).toMatchObject(input);
    });
  });

  it('for interventions', () => {
    check(sample.interventionInput, (input) => {
      const task = interventionOf(input, { subject }, 'CarePlan/c1', caller);
      expectValid(task);
      expect(viewActivity(kept(task), caller)).toMatchObject({ priority: 'routine', goals: [], ...input });
    });
  });

  it('for tasks of the patient, whose words stay when they come back', () => {
    check(sample.interventionInput, (input) => {
      const task = interventionOf(input, { subject }, 'CarePlan/c1', organization);
      const theirs = forPatient(task, subject);
      expectValid(theirs);
      expect(theirs.meta?.profile).toContain(
        'http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-TaskForPatient',
      );
      expect(notForPatient(theirs)).toEqual({ ...task, owner: subject, status: 'ready', priority: theirs.priority });
    });
  });

  it('for the plan and its reviews', () => {
    check(
      fc.record({ title: fc.string({ minLength: 1 }).filter((one) => one.trim() === one && one !== '') }),
      ({ title }) => {
        const plan = newPlan(aCase, { title: title.replaceAll(/[^ -~]/g, 'x') }, caller);
        expectValid(withAdded(plan, { needs: ['Condition/1'], goals: ['Goal/1', 'Goal/1'], activities: ['Task/1'] }));
        expectValid(
          reviewed(reviewOf(aCase, 'CarePlan/c1', caller, { due: '2027-01-01' }), { outcome: 'continue' }, caller),
        );
      },
    );
  });
});

/** All members but those that the command is about. */
function rest(resource: object, ...about: readonly string[]): object {
  return Object.fromEntries(Object.entries(resource).filter(([name]) => !about.includes(name)));
}

describe('a command leaves alone what it is not about', () => {
  const goals = fc
    .tuple(sample.goalInput, sample.foreign)
    .map(
      ([input, foreign]) => ({ ...goalOf({ ...input, status: 'active' }, { subject }, caller), ...foreign }) as Goal,
    );
  const needs = fc
    .tuple(sample.needInput, sample.foreign)
    .map(([input, foreign]) => ({ ...needOf(input, { subject }, caller), ...foreign }) as Condition);
  const tasks = fc.tuple(sample.interventionInput, sample.foreign).map(([input, { extension = [], ...foreign }]) => {
    const task = interventionOf(input, { subject }, 'CarePlan/c1', caller);
    const all = [...extension, ...(task.extension ?? [])];
    return { ...task, ...foreign, ...(all.length > 0 ? { extension: all } : {}) } as Task;
  });

  it('of goals', () => {
    check(fc.tuple(goals, sample.coded, sample.target), ([goal, description, target]) => {
      expect(rest(revisedGoal(goal, { description }, caller), 'description')).toEqual(rest(goal, 'description'));
      const targets = viewGoal(kept(goal), caller).targets;
      expect(revisedGoal(goal, { targets: targets as never }, caller)).toEqual(goal);
      const more = revisedGoal(goal, { targets: [...(targets as never[]), target] }, caller);
      expect(more.target?.slice(0, targets.length)).toEqual(goal.target ?? []);
      expect(rest(more, 'target')).toEqual(rest(goal, 'target'));
      const accepted = withAcceptance(
        withAcceptance(goal, subject, { answer: 'pending' }, caller),
        subject,
        { answer: 'agree' },
        caller,
      );
      expect(accepted.extension?.slice(0, -1)).toEqual(goal.extension ?? []);
      expect(rest(accepted, 'extension')).toEqual(rest(goal, 'extension'));
      const held = movedGoal(goal, 'hold', { reason: 'x' }, caller);
      expect(rest(held, 'lifecycleStatus', 'statusReason')).toEqual(rest(goal, 'lifecycleStatus', 'statusReason'));
    });
  });

  it('of needs', () => {
    check(fc.tuple(needs, sample.coded), ([need, code]) => {
      expect(rest(revisedNeed(need, { code, severity: null }, caller), 'code')).toEqual(rest(need, 'code', 'severity'));
      const barrier = revisedNeed(need, { kind: 'barrier' }, caller);
      expect(viewNeed(kept(barrier)).kind).toBe('barrier');
      expect(rest(barrier, 'category')).toEqual(rest(need, 'category'));
      const resolved = settledNeed(need, 'resolve', {}, caller);
      expect(rest(settledNeed(resolved, 'reopen', {}, caller), 'clinicalStatus')).toEqual(rest(need, 'clinicalStatus'));
    });
  });

  it('of interventions', () => {
    check(fc.tuple(tasks, sample.coded), ([task, code]) => {
      const about = ['code', 'lastModified'];
      expect(rest(revisedIntervention(task, { code }, caller), ...about)).toEqual(rest(task, ...about));
      const moved = rescheduled(task, { due: '2031-01-01' }, caller);
      expect(rest(moved, 'restriction', 'lastModified')).toEqual(rest(task, 'restriction', 'lastModified'));
      expect(moved.restriction?.period?.start).toBe(task.restriction?.period?.start);
      const done = movedTask(task, 'complete', { outcome: { text: 'x' } }, caller);
      expect(rest(done, 'status', 'output', 'executionPeriod', 'lastModified')).toEqual(
        rest(task, 'status', 'lastModified'),
      );
      const links = (task.extension ?? []).flatMap(({ valueReference }) =>
        valueReference ? [valueReference as { reference: string }] : [],
      );
      expect(revisedIntervention(task, { goals: links }, caller).extension).toEqual(task.extension);
    });
  });

  it('of the plan', () => {
    check(sample.foreign, (foreign) => {
      const plan = { ...newPlan(aCase, { title: 'A' }, caller), ...foreign } as CarePlan;
      expect(rest(revisedPlan(plan, { title: 'B' }, caller), 'title', 'text')).toEqual(rest(plan, 'title', 'text'));
      const own: CarePlan = {
        ...plan,
        text: { status: 'additional', div: '<div xmlns="http://www.w3.org/1999/xhtml">Mine</div>' },
      };
      expect(revisedPlan(own, { title: 'B' }, caller).text).toEqual(own.text);
      const added = withAdded(plan, { goals: ['Goal/1'] });
      expect(rest(added, 'goal')).toEqual(rest(plan, 'goal'));
      expect(withAdded(added, { goals: ['Goal/1'] })).toEqual(added);
    });
  });
});
