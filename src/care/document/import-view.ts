// What a document has brought, as it can be read again at any time.
import type { Provenance } from '@medplum/fhirtypes';
import { findReadable } from '../find-readable.ts';
import { linkedOf } from '../linked.ts';
import type { Kept, Records } from '../records.ts';
import type { ImportView } from './document-schema.ts';
import { keptDocument, namesIn, provenanceId } from './earlier-imports.ts';
import { BROUGHT } from './import-provenance.ts';
import { TRANSFER_SUMMARY } from './toc-sections.ts';

/** Undefined when no such document came into the case. */
export async function viewImport(records: Records, caseId: string, id: string): Promise<ImportView | undefined> {
  const document = await records.read('DocumentReference', id);
  return document && isOfCase(document, caseId) ? viewOf(records, document) : undefined;
}

/** Newest first. */
export async function listImports(records: Records, caseId: string): Promise<{ items: ImportView[] }> {
  const { system, code } = TRANSFER_SUMMARY;
  const found = await findReadable(records, 'DocumentReference', {
    related: `EpisodeOfCare/${caseId}`,
    type: `${system}|${code}`,
    _sort: '-date',
  });
  const views = await Promise.all(found.map((document) => viewOf(records, document)));
  return { items: views.flatMap((view) => view ?? []) };
}

function isOfCase({ context }: Kept<'DocumentReference'>, caseId: string): boolean {
  return context?.related?.some(({ reference }) => reference === `EpisodeOfCare/${caseId}`) ?? false;
}

async function viewOf(records: Records, document: Kept<'DocumentReference'>): Promise<ImportView | undefined> {
  const bundle = keptDocument(document);
  if (!bundle) return undefined;
  const { id, meta, masterIdentifier, description } = document;
  const provenance = await records.read('Provenance', provenanceId(id));
  const names = provenance ? namesIn(provenance) : new Map<string, string>();
  const brought = provenance?.entity?.filter(({ role }) => role === BROUGHT) ?? [];
  const changed = new Set(brought.map(({ what }) => what.reference));
  const entries = (bundle.entry ?? []).slice(1);
  const custodian = linkedOf(provenance && custodianIn(provenance));
  return {
    id,
    version: meta.versionId,
    ...(masterIdentifier?.value ? { identifier: masterIdentifier.value } : {}),
    ...(description ? { title: description } : {}),
    ...(custodian ? { custodian } : {}),
    ...(provenance ? { imported: provenance.recorded } : {}),
    resources: entries.flatMap(({ fullUrl = '' }) => {
      const reference = names.get(fullUrl);
      return reference === undefined ? [] : [{ reference, source: fullUrl, isChanged: changed.has(reference) }];
    }),
    leftOut: entries.flatMap(({ fullUrl = '', resource }) =>
      names.has(fullUrl) ? [] : [{ source: fullUrl, type: resource?.resourceType ?? '' }],
    ),
  };
}

const custodianIn = ({ agent }: Provenance) =>
  agent.find(({ type }) => type?.coding?.some(({ code }) => code === 'custodian'))?.who;
