// The document itself, kept as it came: what was brought, and what later documents are compared with.
import { createHash } from 'node:crypto';
import type { Coding, DocumentReference } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { canonicalJson, type Json } from '../../fhir/canonical-json.ts';
import { clean } from '../../fhir/care-plan-document/words.ts';
import { stringifyExact } from '../../fhir/exact-json.ts';
import { concept } from '../concept.ts';
import { derivedId } from '../derived-id.ts';
import type { Caller, Kept, Planned } from '../records.ts';
import { labelsOf } from './labels.ts';
import type { ReadDocument } from './read-document.ts';
import { TRANSFER_SUMMARY } from './toc-sections.ts';

export type KeptDocument = DocumentReference & {
  readonly id: string;
  readonly subject: { readonly reference: string };
};

export function keptAs(
  { bundle, identifier, composition }: ReadDocument,
  patient: Kept<'Patient'>,
  episode: Kept<'EpisodeOfCare'>,
  caller: Caller,
): KeptDocument {
  const bytes = Buffer.from(stringifyExact(bundle), 'utf8');
  // Of what it says: whoever sends it again may order its members otherwise, and put it together at another time.
  const labels: Coding[] = labelsOf([bundle, ...(bundle.entry ?? []).map(({ resource }) => resource)]);
  const { timestamp: _, ...said } = bundle;
  const hash = createHash('sha1')
    .update(canonicalJson(said as unknown as Json))
    .digest('base64');
  return {
    resourceType: 'DocumentReference',
    ...(labels.length > 0 ? { meta: { security: labels } } : {}),
    id: derivedId('document', patient.id, identifier.system ?? '', identifier.value),
    masterIdentifier: identifier,
    status: 'current',
    type: { coding: [TRANSFER_SUMMARY] },
    category: [
      concept(
        'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category',
        'clinical-note',
        'Clinical Note',
      ),
    ],
    subject: { reference: `Patient/${patient.id}` },
    date: caller.now.toString({ fractionalSecondDigits: 3 }),
    author: [caller.who as NonNullable<DocumentReference['author']>[number]],
    description: clean(composition.title),
    content: [
      {
        attachment: {
          contentType: 'application/fhir+json',
          data: bytes.toString('base64'),
          size: bytes.length,
          hash,
          title: clean(composition.title),
          ...(bundle.timestamp ? { creation: bundle.timestamp } : {}),
        },
      },
    ],
    context: { related: [{ reference: `EpisodeOfCare/${episode.id}` }] },
  };
}

/** Writes nothing. @throws Fault conflict */
export function sameAgain(before: Kept<'DocumentReference'>, now: KeptDocument): Planned {
  const hashOf = ({ content }: DocumentReference) => content[0]?.attachment.hash;
  if (hashOf(before) !== hashOf(now)) {
    const sentence = 'Another document came with this identifier. A document that has changed has a new one.';
    throw new Fault('conflict', sentence, { code: 'duplicate', expression: 'Bundle.identifier' });
  }
  const { resourceType, id } = before;
  return { about: 0, changes: [{ op: 'patch', type: resourceType, id, revise: (current) => current }] };
}
