// What earlier documents of a patient have brought: who is who, and what each resource was when it came. Both are in what an
// import leaves behind: the document itself, and the Provenance that names what became of its entries.
import type { Bundle, DocumentReference, Provenance, Resource } from '@medplum/fhirtypes';
import { parseExact } from '../../fhir/exact-json.ts';
import { derivedId } from '../derived-id.ts';
import { findReadable } from '../find-readable.ts';
import type { Kept, Records } from '../records.ts';
import { addressBook } from './address-book.ts';
import { FULL_URL, type LocalNames, localised } from './localise.ts';
import { TRANSFER_SUMMARY } from './toc-sections.ts';

export interface EarlierImport {
  readonly recorded: string;
  /** `Type/id` here by full URL there. */
  readonly names: LocalNames;
  /** As it came, in the terms of this server; undefined when it did not come with this document. */
  bring(local: string): Resource | undefined;
}

/** Newest first. */
export async function earlierImports(records: Records, patient: string, fhirBase: string): Promise<EarlierImport[]> {
  const { system, code } = TRANSFER_SUMMARY;
  const kept = await findReadable(records, 'DocumentReference', {
    patient: `Patient/${patient}`,
    type: `${system}|${code}`,
  });
  const found: EarlierImport[] = [];
  for (const document of kept) {
    const provenance = await records.read('Provenance', provenanceId(document.id));
    const one = provenance && importOf(document, provenance, fhirBase);
    if (one) found.push(one);
  }
  return found.sort((a, b) =>
    Temporal.Instant.compare(Temporal.Instant.from(b.recorded), Temporal.Instant.from(a.recorded)),
  );
}

export const provenanceId = (document: string) => derivedId('document-provenance', document);

/** Undefined when the DocumentReference keeps no FHIR document. */
export function keptDocument({ content }: DocumentReference): Bundle | undefined {
  const data = content.find(({ attachment }) => attachment.contentType === 'application/fhir+json')?.attachment.data;
  if (data === undefined) return undefined;
  return parseExact<Bundle>(Buffer.from(data, 'base64').toString('utf8'));
}

/** `Type/id` here by full URL there, as the Provenance of an import says. */
export function namesIn({ entity = [] }: Provenance): Map<string, string> {
  return new Map(
    entity.flatMap(({ what }) => {
      const { reference, identifier } = what;
      const isPair = identifier?.system === FULL_URL && identifier.value !== undefined && reference !== undefined;
      return isPair ? [[identifier.value as string, reference]] : [];
    }),
  );
}

function importOf(
  document: Kept<'DocumentReference'>,
  provenance: Provenance,
  fhirBase: string,
): EarlierImport | undefined {
  const bundle = keptDocument(document);
  if (!bundle) return undefined;
  const names = namesIn(provenance);
  const entries = (bundle.entry ?? []).flatMap(({ fullUrl, resource }) =>
    fullUrl !== undefined && resource ? [{ fullUrl, resource }] : [],
  );
  const resolve = addressBook(entries);
  return {
    recorded: provenance.recorded,
    names,
    bring(local) {
      const entry = entries.find(({ fullUrl }) => names.get(fullUrl) === local);
      return entry && localised(entry, { names, resolve, fhirBase });
    },
  };
}
