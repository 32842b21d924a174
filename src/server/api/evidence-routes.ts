// What is proved of transitions, and which of them can be reported.
import { listReadiness, ReadinessList, ReadinessQuery } from '../../care/evidence/billing-readiness.ts';
import { evidenceDocument } from '../../care/evidence/evidence-document.ts';
import { evidenceHtml } from '../../care/evidence/evidence-html.ts';
import { TransitionEvidence } from '../../care/evidence/evidence-schema.ts';
import { EVIDENCE_READS } from '../../care/evidence/gather-evidence.ts';
import { readEvidence, readEvidenceOfCase } from '../../care/evidence/transition-evidence.ts';
import { planPdf } from '../../fhir/care-plan-document/pdf.ts';
import { type ApiRoute, query } from './route.ts';

const tag = 'Evidence';
const reads = EVIDENCE_READS;
const one = {
  tag,
  reads,
  answer: TransitionEvidence,
  description:
    'Computed from what is stored and open to the caller now, kept nowhere. A page to print with `Accept: text/html` or ' +
    '`application/pdf`; FHIR MeasureReports with `GET /fhir/R4/EpisodeOfCare/{id}/$evidence`.',
  renderings: {
    'text/html': evidenceHtml,
    'application/pdf': (view: TransitionEvidence) => planPdf(evidenceDocument(view)),
  },
} as const;

export const EVIDENCE_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/transitions/:id/evidence',
    name: 'transition-evidence',
    summary: 'What is proved of a transition: TCM and TRC, each figure with the resource that shows it',
    ...one,
    run: ({ records, caller, evidence, params }) => readEvidence(records, caller, evidence, params.id),
  }),
  query({
    path: '/cases/:id/transitions/:transition/evidence',
    name: 'case-transition-evidence',
    summary: "The same, for a transition of the case's patient",
    ...one,
    run: ({ records, caller, evidence, params }) =>
      readEvidenceOfCase(records, caller, evidence, params.id, params.transition),
  }),
  query({
    path: '/billing-readiness',
    name: 'billing-readiness',
    summary: 'Transitions that can be reported (TCM), wait for something, or cannot be reported',
    description: 'Newest discharge first. `status` leaves items out of a page; go on while there is `next`.',
    tag,
    reads,
    query: ReadinessQuery,
    answer: ReadinessList,
    run: ({ records, caller, evidence, query: asked }) => listReadiness(records, caller, evidence, asked),
  }),
];
