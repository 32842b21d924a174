// What the care plan is made of meets US Core as published, both versions, for generated needs, goals and plans.
import { basename } from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import type { TSchema } from 'typebox';
import { describe, expect, test } from 'vitest';
import { goalOf, viewGoal } from '../../src/care/goals/goal.ts';
import { GoalView, ProgressView } from '../../src/care/goals/goal-schema.ts';
import { viewProgress } from '../../src/care/goals/progress.ts';
import { viewActivity } from '../../src/care/interventions/activity-view.ts';
import { InterventionView } from '../../src/care/interventions/intervention-schema.ts';
import { needOf, revisedNeed, viewNeed } from '../../src/care/needs/need.ts';
import { NeedView } from '../../src/care/needs/need-schema.ts';
import { settledNeed } from '../../src/care/needs/settle-need.ts';
import { newPlan } from '../../src/care/plans/new-plan.ts';
import { withAdded } from '../../src/care/plans/plan-of-case.ts';
import { PlanSummary } from '../../src/care/plans/plan-schema.ts';
import { summaryOf } from '../../src/care/plans/plan-view.ts';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import { createValidator } from '../../src/fhir/validation/validator.ts';
import { bodyCheck } from '../../src/server/api/check-input.ts';
import { artifacts } from '../care/artifacts.ts';
import { caller, goalInput, kept, needInput, subject } from '../care/plan-samples.ts';
import { corpusFiles, readBundle, readPackage } from './packages.ts';

const packages = corpusFiles('igs').filter((file) => file.includes('us.core'));
const aCase = {
  episode: kept({ resourceType: 'EpisodeOfCare', status: 'active', patient: subject }),
  subject,
} as never;

describe.skipIf(packages.length === 0)('US Core', () => {
  test.each(packages.map((file) => [basename(file), file]))('%s is met by needs, goals and plans', (_, file) => {
    const { validate } = createValidator(loadDefinitions([...artifacts, ...readPackage(file).artefacts]));
    const expectValid = (resource: Resource) => {
      const claimed = resource.meta?.profile?.filter((url) => url.includes('/us/core/')) ?? [];
      expect(claimed.length).toBeGreaterThan(0);
      const issues = validate(resource);
      expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
      // A profile that was not checked is none that was met.
      const unchecked = issues.filter(({ details }) =>
        claimed.some((url) => details?.text?.includes(`${url} could not be`)),
      );
      expect(unchecked).toEqual([]);
    };
    fc.assert(
      fc.property(needInput, goalInput, (need, goal) => {
        const condition = needOf(need, { subject }, caller);
        expectValid(condition);
        expectValid(revisedNeed(condition, { kind: 'barrier', severity: null }, caller));
        expectValid(settledNeed(condition, 'resolve', {}, caller));
        expectValid(settledNeed(condition, 'retract', {}, caller));
        expectValid(goalOf(goal, { subject }, caller));
      }),
      { numRuns: 100 },
    );
    expectValid(
      withAdded(newPlan(aCase, {}, caller), { needs: ['Condition/1'], goals: ['Goal/1'], activities: ['Task/1'] }),
    );
  });
});

const synthea = corpusFiles('synthea');
describe.skipIf(synthea.length === 0 || packages.length === 0)('what others wrote', () => {
  const views: Readonly<Record<string, (resource: never) => void>> = {
    Condition: shows(NeedView, (resource) => viewNeed(resource as never)),
    Goal: shows(GoalView, (resource) => viewGoal(resource as never, caller)),
    Observation: shows(ProgressView, (resource) => viewProgress(resource as never)),
    CarePlan: shows(PlanSummary, (resource) => summaryOf(resource as never, false)),
  };
  const asActivity = shows(InterventionView, (resource) => viewActivity(resource as never, caller));
  for (const type of ['Task', 'ServiceRequest', 'MedicationRequest', 'Appointment', 'DeviceRequest', 'Procedure']) {
    Object.assign(views, { [type]: asActivity });
  }

  test.each([
    [
      'Synthea',
      () => synthea.flatMap((file) => readBundle(file).entry ?? []).flatMap(({ resource }) => resource ?? []),
    ],
    ['US Core', () => packages.flatMap((file) => readPackage(file).examples)],
  ])('%s: every resource of a plan is shown', (_, read) => {
    const seen: Record<string, number> = {};
    for (const resource of read()) {
      const view = views[resource.resourceType];
      if (!view) continue;
      view(kept(resource) as never);
      seen[resource.resourceType] = (seen[resource.resourceType] ?? 0) + 1;
    }
    for (const type of ['Condition', 'CarePlan']) expect(seen[type]).toBeGreaterThan(0);
  });
});

/** Shows a resource, and holds what is shown against the schema that the API documents. */
function shows(schema: TSchema, view: (resource: unknown) => unknown): (resource: never) => void {
  const check = bodyCheck(schema);
  return (resource) => check(view(resource));
}
