import type { CarePlan, CareTeam, Goal, Resource, ServiceRequest, Task } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ofType } from '../../src/care/profiles.ts';
import { applyPlanDefinition } from '../../src/care/transition/apply-plan-definition.ts';
import { declineEpisode, openEpisode } from '../../src/care/transition/episode.ts';
import { escalate, markOverdue } from '../../src/care/transition/escalation.ts';
import { chooseProtocol, type Protocol, readProtocols } from '../../src/care/transition/protocol.ts';
import { attribute } from '../../src/care/transition/provenance.ts';
import { remindOwner } from '../../src/care/transition/reminder.ts';
import { assessRisk, riskFacts } from '../../src/care/transition/risk-assessment.ts';
import { NO_RISK_DATA } from '../../src/care/transition/risk-inputs.ts';
import type { TransitionContext } from '../../src/care/transition/transition-context.ts';
import { testValidate } from '../support/store-rules.ts';
import { artifacts, protocols, riskRules } from './artifacts.ts';
import { sampleContext } from './sample.ts';

const errorsOf = (resource: Resource) =>
  testValidate(resource).filter(({ severity }) => severity === 'error' || severity === 'fatal');

const EPISODE = '5f0c0e0e-0000-8000-8000-000000000001';

function apply(context: TransitionContext, done?: Map<string, { reference: string }>) {
  const assessed = assessRisk(context, NO_RISK_DATA, riskRules);
  const { assessment } = assessed;
  const facts = riskFacts(assessed);
  const protocol = chooseProtocol(protocols, context, facts) as Protocol;
  const risk = { reference: 'urn:uuid:00000000-0000-4000-8000-000000000000' };
  const plan = applyPlanDefinition(protocol, context, facts, { episode: EPISODE, risk, ...(done ? { done } : {}) });
  const of = <T extends Resource>(type: T['resourceType']) =>
    plan.changes.map(({ resource }) => resource).filter((resource): resource is T => resource.resourceType === type);
  return { plan, protocol, assessment, of };
}

describe('$apply', () => {
  it('makes a valid plan out of every protocol, whatever is known', () => {
    const context = fc.record({
      destination: fc.constantFrom(
        'home',
        'home-health',
        'assisted-living',
        'skilled-nursing',
        'against-advice',
        'unknown',
      ),
      caregivers: fc.constantFrom([], sampleContext().caregivers),
      primaryCare: fc.constantFrom([], [{ reference: 'Practitioner/d1' }, { reference: 'Organization/o2' }]),
      facility: fc.constantFrom(undefined, { reference: 'Organization/o1' }),
      caseManager: fc.constantFrom(undefined, { reference: 'PractitionerRole/cm1' }),
      conditions: fc.constantFrom([], sampleContext().conditions),
    });
    fc.assert(
      fc.property(context, (changes) => {
        const given = sampleContext(changes);
        const { plan, assessment } = apply(given);
        const others = [assessment, openEpisode(given, plan.careTeam), declineEpisode(given, 'died')];
        const provenance = attribute([plan.carePlan], 'Encounter/e1', 'CREATE', given.now);
        for (const resource of [...plan.changes.map((change) => change.resource), ...others, provenance]) {
          expect(errorsOf(resource), resource.resourceType).toEqual([]);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('schedules the steps of the high-risk protocol', () => {
    const { of } = apply(sampleContext());
    const tasks = of<Task>('Task').map((task) => [
      task.identifier?.[0]?.value,
      task.restriction?.period?.start,
      task.restriction?.period?.end,
    ]);
    expect(tasks).toEqual([
      [`${EPISODE}|notify-pcp|1`, '2026-11-20T14:00:00-05:00', '2026-11-21T14:00:00-05:00'],
      [`${EPISODE}|discharge-information|1`, '2026-11-20T14:00:00-05:00', '2026-11-22T23:59:59-05:00'],
      [`${EPISODE}|contact|1`, '2026-11-23T09:00:00-05:00', '2026-11-24T23:59:59-05:00'],
      [`${EPISODE}|medication-reconciliation|1`, '2026-11-21T09:00:00-05:00', '2026-11-27T23:59:59-05:00'],
      [`${EPISODE}|visit|1`, '2026-11-22T09:00:00-05:00', '2026-11-27T23:59:59-05:00'],
      [`${EPISODE}|education|1`, '2026-11-21T09:00:00-05:00', '2026-11-27T23:59:59-05:00'],
      [`${EPISODE}|social-needs|1`, '2026-11-21T09:00:00-05:00', '2026-12-04T23:59:59-05:00'],
      [`${EPISODE}|call-7|1`, '2026-11-27T09:00:00-05:00', '2026-11-27T17:00:00-05:00'],
      [`${EPISODE}|call-14|1`, '2026-12-04T09:00:00-05:00', '2026-12-04T17:00:00-05:00'],
      [`${EPISODE}|call-30|1`, '2026-12-21T09:00:00-05:00', '2026-12-21T17:00:00-05:00'],
      [`${EPISODE}|close|1`, '2026-12-21T09:00:00-05:00', '2026-12-21T17:00:00-05:00'],
    ]);
  });

  it('orders home health only for those who go home with it', () => {
    const ordered = (destination: string) =>
      apply(sampleContext({ destination }))
        .of<ServiceRequest>('ServiceRequest')
        .map(({ code }) => code?.coding?.[0]?.code);
    expect(ordered('home')).toEqual(['390906007']);
    expect(ordered('home-health')).toEqual(['390906007', '417511005']);
  });

  it('asks one person to decide where no protocol fits', () => {
    const review = apply(sampleContext({ destination: 'unknown' })).of<Task>('Task');
    expect(review.map(({ identifier, priority }) => [identifier?.[0]?.value, priority])).toEqual([
      [`${EPISODE}|review|1`, 'routine'],
    ]);
  });

  it('carries what US Core and MCC ask of the plan', () => {
    const { of, protocol } = apply(sampleContext());
    const [carePlan] = of<CarePlan>('CarePlan');
    expect(carePlan?.category?.[0]?.coding?.[0]?.code).toBe('assess-plan');
    expect(carePlan?.text?.div).toContain('Contact within two business days: by 2026-11-24');
    expect(carePlan?.instantiatesCanonical).toEqual([protocol.canonical]);
    expect(carePlan?.addresses).toEqual([{ reference: 'Condition/c1' }]);
    expect(carePlan?.activity).toHaveLength(12);
    expect(carePlan?.activity?.every(({ reference, detail }) => reference && !detail)).toBe(true);
    const [team] = of<CareTeam>('CareTeam');
    expect(team?.participant?.every(({ role, member }) => role?.length === 1 && member?.reference)).toBe(true);
    expect(team?.participant?.map(({ member }) => member?.reference)).toEqual([
      'Patient/p1',
      'RelatedPerson/r1',
      'Practitioner/d1',
      'Organization/o1',
    ]);
    for (const goal of of<Goal>('Goal'))
      expect(goal).toMatchObject({ lifecycleStatus: 'active', startDate: '2026-11-20' });
  });

  it('gives follow-ups to the case manager, and to the team while there is none', () => {
    const owners = (context: TransitionContext) =>
      new Set(
        apply(context)
          .of<Task>('Task')
          .map(({ owner }) => owner?.reference),
      );
    expect(owners(sampleContext({ caseManager: { reference: 'PractitionerRole/cm1' } }))).toEqual(
      new Set(['PractitionerRole/cm1']),
    );
    const { plan, of } = apply(sampleContext());
    expect(new Set(of<Task>('Task').map(({ owner }) => owner?.reference))).toEqual(new Set([plan.careTeam.reference]));
    expect(of<Task>('Task')[0]?.performerType?.[0]?.coding?.[0]?.code).toBe('case-manager');
  });

  it('takes over what an earlier plan has done', () => {
    const { of } = apply(sampleContext(), new Map([['contact', { reference: 'Task/old' }]]));
    expect(of<Task>('Task').some(({ identifier }) => identifier?.[0]?.value?.includes('|contact|'))).toBe(false);
    expect(of<CarePlan>('CarePlan')[0]?.activity?.[0]).toEqual({ reference: { reference: 'Task/old' } });
  });

  it('plans the same twice', () => {
    expect(apply(sampleContext()).plan).toEqual(apply(sampleContext()).plan);
  });

  it('escapes what it writes into the narrative', () => {
    const tricky = structuredClone(ofType(artifacts, 'PlanDefinition'));
    for (const plan of tricky) plan.title = 'Plan <b> & "co"';
    const [protocol] = readProtocols(tricky, ofType(artifacts, 'ActivityDefinition'));
    const assessed = assessRisk(sampleContext(), NO_RISK_DATA, riskRules);
    const facts = riskFacts(assessed);
    const options = { episode: EPISODE, risk: { reference: 'urn:uuid:x' } };
    const plan = applyPlanDefinition(protocol as Protocol, sampleContext(), facts, options);
    const carePlan = plan.changes.find(({ resource }) => resource.resourceType === 'CarePlan')?.resource as CarePlan;
    expect(carePlan.text?.div).toContain('<p>Plan &lt;b&gt; &amp; &quot;co&quot;. Discharged on 2026-11-20.</p>');
  });

  it('escalates and reminds with valid resources', () => {
    const given = sampleContext();
    const task = { ...(apply(given).of<Task>('Task')[2] as Task), id: 't1' };
    const overdue = markOverdue(task, given.now);
    expect(overdue.priority).toBe('stat');
    expect(markOverdue({ ...task, priority: 'routine' }, given.now).priority).toBe('urgent');
    const window = { raise: given.now, due: given.now.add({ hours: 30 }) };
    const key = { episode: EPISODE, step: 'contact', occurrence: 1 };
    const above = escalate(overdue, key, window, given.anchor.zone, given.facility);
    expect(above.identifier?.[0]?.value).toBe(`${EPISODE}|contact-escalation|1`);
    const reminder = remindOwner(task, 'k', 'follow-up-due', '2026-11-23T09:00:00-05:00', given.now);
    for (const resource of [overdue, above, reminder]) expect(errorsOf(resource)).toEqual([]);
  });
});

describe('artefacts', () => {
  it('in profiles/ are valid R4', () => {
    const wrong = artifacts.flatMap((resource) => errorsOf(resource).map((issue) => [resource.id, issue]));
    expect(wrong).toEqual([]);
  });

  it('have a url of their own and refer to what is there', () => {
    // A Group has none in R4.
    const canonical = artifacts.filter(({ resourceType }) => resourceType !== 'Group');
    const urls = canonical.map((resource) => (resource as { url?: string }).url);
    expect(urls).not.toContain(undefined);
    expect(new Set(urls).size).toBe(canonical.length);
  });

  it.each([
    [
      'an unknown activity',
      (step: Record<string, unknown>) => {
        step.definitionCanonical = 'urn:none';
      },
      /step contact: definitionCanonical/,
    ],
    [
      'a step without id',
      (step: Record<string, unknown>) => {
        step.id = undefined;
      },
      /every step needs an id/,
    ],
    [
      'two steps of one name',
      (step: Record<string, unknown>) => {
        step.id = 'visit';
      },
      /two steps with the id visit/,
    ],
    [
      'a goal that is not there',
      (step: Record<string, unknown>) => {
        step.goalId = ['none'];
      },
      /step contact: there is no goal none/,
    ],
    [
      'a broken condition',
      (step: Record<string, unknown>) => {
        step.condition = [{ kind: 'applicability', expression: { language: 'text/fhirpath', expression: 'a (' } }];
      },
      /./,
    ],
    [
      'a condition in another language',
      (step: Record<string, unknown>) => {
        step.condition = [{ kind: 'applicability', expression: { language: 'text/cql', expression: 'true' } }];
      },
      /must be text\/fhirpath/,
    ],
    [
      'no timing',
      (step: Record<string, unknown>) => {
        step.extension = [];
      },
      /follow-up-timing/,
    ],
  ])('with %s are refused when they are loaded', (_, spoil, message) => {
    const plans = structuredClone(ofType(artifacts, 'PlanDefinition'));
    const protocol = plans.find(({ id }) => id === 'transition-home-high-risk');
    const step = protocol?.action?.[0]?.action?.find(({ id }) => id === 'contact');
    spoil(step as unknown as Record<string, unknown>);
    expect(() => readProtocols(plans, ofType(artifacts, 'ActivityDefinition'))).toThrow(message);
  });
});
