// A document as a DocumentReference that fits US Core, with the document inside it.
// http://hl7.org/fhir/us/core/StructureDefinition/us-core-documentreference
import { createHash } from 'node:crypto';
import type { Attachment, Coding, DocumentReference, Identifier } from '@medplum/fhirtypes';
import type { PlanDocument } from './document.ts';
import { planPdf } from './pdf.ts';
import { plainText } from './plain-text.ts';

export type DocumentFormat = 'application/pdf' | 'text/plain';

type DocumentContext = NonNullable<NonNullable<DocumentReference['context']>['encounter']>;

/** Everything in the terms of whoever gets it. */
export interface DocumentPlace {
  readonly subject: NonNullable<DocumentReference['subject']>;
  readonly encounter?: DocumentContext[number] | undefined;
  readonly authors?: DocumentReference['author'];
  readonly identifiers: readonly Identifier[];
  /** Of this version of the document. */
  readonly masterIdentifier: Identifier;
  /** Security labels of everything in it. */
  readonly labels: readonly Coding[];
  readonly description: string;
  readonly status: 'current' | 'superseded' | 'entered-in-error';
  /** Reference to the document that this one takes the place of. */
  readonly replaces?: string | undefined;
  readonly formats: readonly DocumentFormat[];
}

const TYPE = { system: 'http://loinc.org', code: '18776-5', display: 'Plan of care note' };
const CATEGORY = {
  system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category',
  code: 'clinical-note',
  display: 'Clinical Note',
};

export async function documentReference(document: PlanDocument, place: DocumentPlace): Promise<DocumentReference> {
  const { produced, title } = document;
  const attachments = await Promise.all(place.formats.map((format) => attachmentOf(document, format)));
  return {
    resourceType: 'DocumentReference',
    ...(place.labels.length > 0 ? { meta: { security: [...place.labels] } } : {}),
    masterIdentifier: place.masterIdentifier,
    identifier: [...place.identifiers],
    status: place.status,
    docStatus: 'final',
    type: { coding: [TYPE], text: title },
    category: [{ coding: [CATEGORY] }],
    subject: place.subject,
    date: produced,
    ...(place.authors && place.authors.length > 0 ? { author: [...place.authors] } : {}),
    ...(place.replaces ? { relatesTo: [{ code: 'replaces', target: { reference: place.replaces } }] } : {}),
    description: place.description,
    ...(place.labels.length > 0 ? { securityLabel: place.labels.map((label) => ({ coding: [label] })) } : {}),
    content: attachments.map((attachment) => ({ attachment })),
    context: {
      ...(place.encounter ? { encounter: [place.encounter] } : {}),
      // The state that it describes, with the time that some servers insist on.
      period: { start: produced, end: produced },
    },
  };
}

async function attachmentOf(document: PlanDocument, format: DocumentFormat): Promise<Attachment> {
  const isPdf = format === 'application/pdf';
  const bytes = isPdf ? await planPdf(document) : Buffer.from(plainText(document), 'utf8');
  return {
    contentType: isPdf ? format : `${format}; charset=utf-8`,
    language: 'en-US',
    data: Buffer.from(bytes).toString('base64'),
    size: bytes.length,
    // FHIR asks for SHA-1 here: it tells attachments apart and protects nothing.
    hash: createHash('sha1').update(bytes).digest('base64'),
    title: document.title,
    creation: document.produced,
  };
}
