// A case told as a whole: its timeline, its hand-over, its patient's transitions.
import { listTransitions, TransitionList } from '../../care/cases/transition-view.ts';
import { HandoverSummary } from '../../care/handover/handover-schema.ts';
import { toMarkdown, toPlainText } from '../../care/handover/render.ts';
import { summariseCase } from '../../care/handover/summarise.ts';
import { readTimeline } from '../../care/timeline/read-timeline.ts';
import { Timeline, TimelineQuery } from '../../care/timeline/timeline-schema.ts';
import { type ApiRoute, query } from './route.ts';

const tag = 'Cases';

export const CASE_STORY_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/cases/:id/timeline',
    name: 'case-timeline',
    summary: 'Everything about the patient of a case in one stream, newest first',
    tag,
    reads: ['EpisodeOfCare'],
    query: TimelineQuery,
    answer: Timeline,
    run: ({ records, params, query: criteria }) => readTimeline(records, params.id, criteria),
  }),
  query({
    path: '/cases/:id/handover',
    name: 'case-handover-summary',
    summary: 'What the next case manager must know; as text with Accept: text/plain or text/markdown',
    tag,
    reads: ['EpisodeOfCare'],
    answer: HandoverSummary,
    run: ({ records, caller, params }) => summariseCase(records, caller, params.id),
    renderings: { 'text/markdown': toMarkdown, 'text/plain': toPlainText },
  }),
  query({
    path: '/cases/:id/transitions',
    name: 'case-transitions',
    summary: "Transitions of care of the case's patient, with their follow-ups",
    tag,
    reads: ['EpisodeOfCare'],
    answer: TransitionList,
    run: ({ records, caller, params }) => listTransitions(records, caller, params.id),
  }),
];
