// Assessments: choose an instrument, start, answer, complete, amend, follow the scores.
import { answerAssessment } from '../../care/assessments/answer-assessment.ts';
import {
  AmendAssessment,
  AnswerAssessment,
  AssessmentList,
  AssessmentView,
  CompleteAssessment,
  InstrumentList,
  InstrumentView,
  ScoreHistory,
  ScoreQuery,
  StartAssessment,
} from '../../care/assessments/assessment-schema.ts';
import { listAssessments, viewAssessment } from '../../care/assessments/assessment-view.ts';
import { amendAssessment, completeAssessment } from '../../care/assessments/complete-assessment.ts';
import { instrumentSummary, previewInstrument, viewInstrument } from '../../care/assessments/instrument-view.ts';
import { listInstruments } from '../../care/assessments/instruments.ts';
import { scoreHistory } from '../../care/assessments/score-history.ts';
import { startAssessment } from '../../care/assessments/start-assessment.ts';
import { type ApiRoute, command, query } from './route.ts';

const tag = 'Assessments';
const START_EXAMPLE = { instrument: 'phq-9' };
const ANSWER_EXAMPLE = {
  answers: [
    { linkId: 'phq9-1', values: [{ value: { code: 'LA6569-3' } }] },
    { linkId: 'phq9-2', values: [{ value: { code: 'LA6568-5' } }] },
  ],
};

export const ASSESSMENT_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/instruments',
    name: 'instrument-list',
    summary: 'List the instruments that can be filled in',
    tag,
    reads: [],
    answer: InstrumentList,
    run: async (shelf) => ({ items: (await listInstruments(shelf)).map(instrumentSummary) }),
  }),
  query({
    path: '/instruments/:instrument',
    name: 'instrument-read',
    summary: 'Read an instrument as a tree to draw',
    tag,
    reads: [],
    answer: InstrumentView,
    run: (ask) => viewInstrument(ask, ask.caller, ask.params.instrument) as Promise<never>,
  }),
  query({
    path: '/cases/:id/instruments/:instrument',
    name: 'instrument-preview',
    summary: 'Read an instrument filled in with what the record says, without starting it',
    tag,
    reads: ['EpisodeOfCare'],
    answer: InstrumentView,
    run: (ask) =>
      previewInstrument(ask, ask.caller, { caseId: ask.params.id, name: ask.params.instrument }) as Promise<never>,
  }),
  query({
    path: '/cases/:id/assessments',
    name: 'assessment-list',
    summary: 'List the assessments of the patient, newest first',
    tag,
    reads: ['EpisodeOfCare', 'QuestionnaireResponse'],
    answer: AssessmentList,
    run: (ask) => listAssessments(ask, ask.params.id),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/assessments',
    name: 'assessment-start',
    summary: 'Start an assessment as a draft, filled in with what the record says',
    tag,
    reads: ['EpisodeOfCare', 'QuestionnaireResponse'],
    body: StartAssessment,
    answer: AssessmentView,
    examples: { body: START_EXAMPLE },
    plan: (ask) => startAssessment(ask, ask.caller, { caseId: ask.params.id, body: ask.body }),
    view: (ask, { id }) => viewAssessment(ask, ask.caller, { caseId: ask.params.id, id }),
  }),
  query({
    path: '/cases/:id/assessments/:assessment',
    name: 'assessment-read',
    summary: 'Read an assessment: the instrument as a tree with its answers and scores',
    tag,
    reads: ['EpisodeOfCare', 'QuestionnaireResponse'],
    answer: AssessmentView,
    run: (ask) => viewAssessment(ask, ask.caller, { caseId: ask.params.id, id: ask.params.assessment }),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/assessments/:assessment/answers',
    name: 'assessment-answer',
    summary: 'Save answers of a draft',
    description: 'What is not named stays as it is; `values: []` takes an answer away. Scores are made anew.',
    tag,
    reads: ['EpisodeOfCare', 'QuestionnaireResponse'],
    body: AnswerAssessment,
    answer: AssessmentView,
    examples: { body: ANSWER_EXAMPLE },
    plan: (ask) => answerAssessment(ask, ask.caller, one(ask)),
    view: (ask, { id }) => viewAssessment(ask, ask.caller, { caseId: ask.params.id, id }),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/assessments/:assessment/complete',
    name: 'assessment-complete',
    summary: 'Complete an assessment',
    description:
      'Checked as a whole, scored, and taken apart in the same commit: observations, needs to be confirmed, proposed goals ' +
      'and safety flags, with their provenance.',
    tag,
    reads: ['EpisodeOfCare', 'QuestionnaireResponse'],
    body: CompleteAssessment,
    examples: { body: { answers: [] } },
    answer: AssessmentView,
    plan: (ask) => completeAssessment(ask, ask.caller, one(ask)),
    view: (ask, { id }) => viewAssessment(ask, ask.caller, { caseId: ask.params.id, id }),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/assessments/:assessment/amend',
    name: 'assessment-amend',
    summary: 'Correct a completed assessment',
    description:
      'Its observations are corrected, those that fall away are marked as entered in error; needs stay for a nurse to judge.',
    tag,
    reads: ['EpisodeOfCare', 'QuestionnaireResponse'],
    body: AmendAssessment,
    answer: AssessmentView,
    examples: { body: { ...ANSWER_EXAMPLE, reason: 'The patient misread the question' } },
    plan: (ask) => amendAssessment(ask, ask.caller, one(ask)),
    view: (ask, { id }) => viewAssessment(ask, ask.caller, { caseId: ask.params.id, id }),
  }),
  query({
    path: '/cases/:id/scores',
    name: 'score-history',
    summary: 'Read how the scores of the patient went, by code, oldest first',
    tag,
    reads: ['EpisodeOfCare', 'Observation'],
    query: ScoreQuery,
    answer: ScoreHistory,
    run: ({ records, params, query: criteria }) => scoreHistory(records, params.id, criteria),
  }),
];

function one<Body>({ params, body }: { readonly params: { id: string; assessment: string }; readonly body: Body }) {
  return { caseId: params.id, id: params.assessment, body };
}
