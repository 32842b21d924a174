// Pathways: which there are, which apply, following one; and variance from them.
import { readCase } from '../../care/cases/find-cases.ts';
import { listVariances, recordVariance, varianceReport, viewVariance } from '../../care/pathways/case-variances.ts';
import { readFollowRequest } from '../../care/pathways/follow-request.ts';
import {
  CasePathways,
  CasePathwaysQuery,
  FollowPathway,
  PathwayList,
  PathwayView,
  RecordVariance,
  VarianceList,
  VarianceReport,
  VarianceView,
} from '../../care/pathways/pathway-schema.ts';
import { listPathways, pathwaysOfCase, viewPathway } from '../../care/pathways/pathway-view.ts';
import { followPathway } from '../../care/pathways/plan-pathway.ts';
import { Fault } from '../../fault.ts';
import { type ApiRoute, command, query } from './route.ts';

const tag = 'Pathways';

export const PATHWAY_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/pathways',
    name: 'pathway-list',
    summary: 'List pathways',
    tag,
    reads: [],
    answer: PathwayList,
    run: ({ records, pathways }) => listPathways(pathways, records),
  }),
  query({
    path: '/pathways/:id',
    name: 'pathway-read',
    summary: 'Read a pathway: for whom, goals, steps, sources',
    tag,
    reads: [],
    answer: PathwayView,
    run: ({ records, pathways, params }) => viewPathway(pathways, records, params.id),
  }),
  query({
    path: '/cases/:id/pathways',
    name: 'case-pathways',
    summary: 'Pathways that the plan follows, or with `applicable=true` those that are for the patient',
    tag,
    reads: ['EpisodeOfCare', 'Patient'],
    query: CasePathwaysQuery,
    answer: CasePathways,
    run: ({ records, pathways, caller, params, query: { applicable } }) =>
      pathwaysOfCase(pathways, records, caller, { id: params.id, applicable }),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/pathways',
    name: 'case-follow-pathway',
    summary: 'Put a pathway into the plan: its goals, tasks and requests',
    description: 'Everything is planned in one commit. Steps that are left out are recorded as variances.',
    tag,
    reads: ['EpisodeOfCare', 'Patient', 'CarePlan'],
    body: FollowPathway,
    answer: CasePathways,
    examples: { body: { pathway: 'heart-failure', omit: [{ step: 'rehab', reason: 'Took part last year' }] } },
    plan: async ({ records, pathways, caller, params, body }) => {
      const episode = await readCase(records, params.id);
      if (!episode) throw new Fault('not-found', 'There is no such case, or it is not open to who asks.');
      const request = await readFollowRequest(pathways, records, body);
      return followPathway(
        records,
        caller,
        { ...request, episode },
        { zone: caller.zone, calendar: pathways.calendar },
      );
    },
    view: ({ records, pathways, caller, params }) => pathwaysOfCase(pathways, records, caller, { id: params.id }),
  }),
  query({
    path: '/cases/:id/variances',
    name: 'variance-list',
    summary: 'List recorded variances from pathways',
    tag,
    reads: ['EpisodeOfCare', 'Observation'],
    answer: VarianceList,
    run: ({ records, params }) => listVariances(records, params.id),
  }),
  query({
    path: '/cases/:id/variances/report',
    name: 'variance-report',
    summary: 'Each activity of the plan against its pathway: open, overdue, done, done late, not done, added',
    tag,
    reads: ['EpisodeOfCare', 'CarePlan'],
    answer: VarianceReport,
    run: ({ records, caller, params }) => varianceReport(records, caller, params.id),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/variances',
    name: 'variance-record',
    summary: 'Record why a step was not done, done late, added or changed',
    tag,
    reads: ['EpisodeOfCare', 'CarePlan'],
    body: RecordVariance,
    answer: VarianceView,
    examples: {
      body: {
        kind: 'not-done',
        reason: 'Patient prefers to walk with her daughter',
        source: 'patient-family',
        step: 'rehab',
      },
    },
    plan: ({ records, caller, params, body }) => recordVariance(records, caller, params.id, body),
    view: ({ records }, { id }) => viewVariance(records, id),
  }),
];
