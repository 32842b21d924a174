// The plan of a case as a document, for people and for other systems, and documents from elsewhere.
import {
  type DocumentView as Document,
  DocumentView,
  ImportDocument,
  ImportList,
  ImportView,
} from '../../care/document/document-schema.ts';
import { importDocument } from '../../care/document/import-document.ts';
import { listImports, viewImport } from '../../care/document/import-view.ts';
import { documentOfCase } from '../../care/document/view-document.ts';
import type { PlanDocument } from '../../fhir/care-plan-document/document.ts';
import { planHtml } from '../../fhir/care-plan-document/html.ts';
import { planPdf } from '../../fhir/care-plan-document/pdf.ts';
import { stringifyExact } from '../../fhir/exact-json.ts';
import { type ApiRoute, command, query } from './route.ts';

const tag = 'Documents';

const IMPORT_EXAMPLE = {
  document: {
    resourceType: 'Bundle',
    type: 'document',
    identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' },
    timestamp: '2026-11-28T15:00:00Z',
    entry: [],
  },
  decisions: [{ item: 'Goal/12#lifecycleStatus', take: 'theirs' }],
};

export const DOCUMENT_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/cases/:id/document',
    name: 'document-read',
    summary: 'Read the plan of a case as a document',
    description:
      'In plain language for the patient as `text/html` or `application/pdf`, as a FHIR document as ' +
      '`application/fhir+json`; as JSON, both. What who asks may not read is left out, and the document says so.',
    tag,
    reads: ['EpisodeOfCare', 'CarePlan', 'Patient'],
    answer: DocumentView,
    run: ({ records, caller, exchange, params }) => documentOfCase(records, caller, exchange, params.id),
    renderings: {
      'application/fhir+json': ({ document }) => stringifyExact(document),
      'text/html': (view) => planHtml(readableOf(view), 'en-US'),
      'application/pdf': (view) => planPdf(readableOf(view)),
    },
  }),
  command({
    method: 'POST',
    path: '/cases/:id/documents',
    name: 'document-import',
    summary: 'Bring a document from elsewhere into a case',
    description:
      'Each resource is found again by its identifiers or by an earlier document, or made. What changed on both sides is ' +
      'merged element by element; where no policy decides, nothing is written and the answer 409 lists `differences`: ' +
      'send the document again with `decisions`. The same document again writes nothing.',
    tag,
    reads: ['EpisodeOfCare', 'CarePlan', 'Patient', 'DocumentReference', 'Provenance'],
    body: ImportDocument,
    answer: ImportView,
    examples: { body: IMPORT_EXAMPLE },
    plan: ({ records, caller, exchange, params, body }) =>
      importDocument(records, caller, exchange, { caseId: params.id, body }),
    view: ({ records, params }, { id }) => viewImport(records, params.id, id),
  }),
  query({
    path: '/cases/:id/documents',
    name: 'document-import-list',
    summary: 'List the documents that were brought into a case, newest first',
    tag,
    reads: ['EpisodeOfCare', 'DocumentReference'],
    answer: ImportList,
    run: ({ records, params }) => listImports(records, params.id),
  }),
  query({
    path: '/cases/:id/documents/:document',
    name: 'document-import-read',
    summary: 'Read what became of a document that was brought into a case',
    tag,
    reads: ['EpisodeOfCare', 'DocumentReference'],
    answer: ImportView,
    run: ({ records, params }) => viewImport(records, params.id, params.document),
  }),
];

function readableOf({ title, facts, sections, isComplete, produced, document }: Document): PlanDocument {
  const { entry = [] } = document as { entry?: readonly { fullUrl?: string }[] };
  const named = facts.filter(({ label }) => label === 'Name' || label === 'Date of birth');
  return {
    ...{ title, facts, sections, isComplete, produced },
    person: named.map(({ text }) => text).join(', '),
    sources: [`a FHIR document of ${entry.length} entries`],
  };
}
