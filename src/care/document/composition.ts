// The first entry of the document: what it is about, by whom, and its sections with words for each.
import type {
  CodeableConcept,
  Composition,
  CompositionSection,
  Organization,
  Reference,
  Resource,
} from '@medplum/fhirtypes';
import { nameText } from '../../fhir/care-plan-document/words.ts';
import { derivedUrn } from '../derived-id.ts';
import { narrative } from '../narrative.ts';
import type { Caller } from '../records.ts';
import { idOf } from '../stored.ts';
import { entryLine } from './entry-line.ts';
import { type Gathered, type GatheredSection, keyOf } from './gather.ts';
import { TRANSFER_SUMMARY } from './toc-sections.ts';

const EMPTY = 'http://terminology.hl7.org/CodeSystem/list-empty-reason';
const NOTHING = 'Nothing about this is in the record.';
const WITHHELD = 'Whoever made this document may not read this part of the record. Ask the sender.';
const PARTLY = 'Whoever made this document may not read all of this part of the record. Ask the sender.';
const CUT = 'Only the newest entries are shown.';

/** @param baseUrl of this Baton, by which the organization that runs it is known */
export function compositionOf(gathered: Gathered, caller: Caller, baseUrl: string): Composition {
  const { plan, patient } = gathered;
  const custodian = custodianOf(gathered);
  const type = { coding: [TRANSFER_SUMMARY] };
  const title = `Care plan of ${nameText(patient.name) || 'the patient'}`;
  return {
    resourceType: 'Composition',
    language: 'en-US',
    text: narrative(title, [`As of ${newestOf(gathered)}`]),
    ...(custodian
      ? {}
      : {
          contained: [
            {
              resourceType: 'Organization',
              id: 'custodian',
              identifier: [{ system: 'urn:ietf:rfc:3986', value: baseUrl }],
              active: true,
              name: 'The organization that runs this Baton',
            },
          ],
        }),
    // The same for every document of the plan; the Bundle's own tells one document from another.
    identifier: { system: 'urn:ietf:rfc:3986', value: derivedUrn('care-plan-composition', baseUrl, plan.id) },
    status: 'final',
    type,
    category: [type],
    subject: { reference: keyOf(patient) },
    date: newestOf(gathered),
    author: [caller.who as NonNullable<Composition['author']>[number]],
    title,
    custodian: custodian ?? { reference: '#custodian' },
    section: gathered.sections.map(sectionOf),
  };
}

/** When anything in it last changed, so that the same record makes the same document. */
export function newestOf({ resources }: Gathered): string {
  const stamps = [...resources.values()].map(({ meta }) => Temporal.Instant.from(meta.lastUpdated));
  const [first, ...rest] = stamps;
  const newest = rest.reduce((a, b) => (Temporal.Instant.compare(a, b) < 0 ? b : a), first as Temporal.Instant);
  return newest.toString({ fractionalSecondDigits: 3 });
}

function custodianOf({ episode, resources }: Gathered): Reference<Organization> | undefined {
  const id = idOf(episode?.managingOrganization, 'Organization');
  return id !== undefined && resources.has(`Organization/${id}`) ? { reference: `Organization/${id}` } : undefined;
}

function sectionOf({ title, code, entries, withheld, isCut }: GatheredSection): CompositionSection {
  const remarks = [...(entries.length > 0 && withheld.length > 0 ? [PARTLY] : []), ...(isCut ? [CUT] : [])];
  const lines = [...entries.map((each) => entryLine(each as Resource)), ...remarks];
  const emptyReason = entries.length > 0 ? undefined : emptyReasonOf(withheld.length > 0);
  return {
    title,
    code: { coding: [code] },
    text: narrative(title, emptyReason ? [emptyReason.text ?? ''] : lines),
    ...(emptyReason ? { emptyReason } : { entry: entries.map((each) => ({ reference: keyOf(each) })) }),
  };
}

function emptyReasonOf(isWithheld: boolean): CodeableConcept {
  return isWithheld
    ? { coding: [{ system: EMPTY, code: 'withheld', display: 'Information Withheld' }], text: WITHHELD }
    : { coding: [{ system: EMPTY, code: 'unavailable', display: 'Unavailable' }], text: NOTHING };
}
