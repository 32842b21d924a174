// Says where what a document brought is from, and what of the document is what here.
import type { Provenance, Reference } from '@medplum/fhirtypes';
import { clean } from '../../fhir/care-plan-document/words.ts';
import type { Change } from '../../fhir/change.ts';
import { concept } from '../concept.ts';
import type { Caller } from '../records.ts';
import type { Exchange } from './exchange.ts';
import type { Found } from './find-local.ts';
import type { KeptDocument } from './kept-document.ts';
import { FULL_URL } from './localise.ts';
import type { ReadDocument } from './read-document.ts';

export interface Told {
  readonly kept: KeptDocument;
  readonly document: ReadDocument;
  readonly taken: readonly Found[];
  readonly changes: readonly Change[];
  readonly caller: Caller;
  readonly exchange: Exchange;
}

/** Role of an entity that made or changed what it is here. */
export const BROUGHT = 'source' as const;

const PARTICIPANT = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type';

/** The first entity is the document; the others say who is who, and whether anything was taken from them. */
export function provenanceOf({ kept, document, taken, changes, caller, exchange }: Told): Provenance {
  const onBehalfOf: Reference = {
    identifier: { value: exchange.baseUrl },
    display: 'The organization that runs this Baton',
  };
  const custodian = custodianOf(document, taken);
  const changed = new Set(
    changes.flatMap((change) => {
      if (change.op === 'create') return `${change.resource.resourceType}/${change.id}`;
      return change.op === 'update' ? `${change.resource.resourceType}/${change.resource.id}` : [];
    }),
  );
  return {
    resourceType: 'Provenance',
    // With the patient, in whose record it belongs.
    target: [...new Set([`DocumentReference/${kept.id}`, kept.subject.reference, ...changed])].map((reference) => ({
      reference,
    })),
    recorded: caller.now.toString({ fractionalSecondDigits: 3 }),
    activity: concept('http://terminology.hl7.org/CodeSystem/v3-DataOperation', 'UPDATE', 'update'),
    agent: [
      {
        type: concept(PARTICIPANT, 'author', 'Author'),
        who: caller.who as Provenance['agent'][number]['who'],
        onBehalfOf: onBehalfOf as Provenance['agent'][number]['who'],
      },
      ...(custodian ? [{ type: concept(PARTICIPANT, 'custodian', 'Custodian'), who: custodian }] : []),
    ],
    entity: [
      {
        role: 'source',
        what: {
          reference: `DocumentReference/${kept.id}`,
          identifier: document.identifier,
          ...(kept.description ? { display: kept.description } : {}),
        },
      },
      ...taken.map(({ entry, type, id }) => ({
        role: changed.has(`${type}/${id}`) ? BROUGHT : ('quotation' as const),
        what: { reference: `${type}/${id}`, identifier: { system: FULL_URL, value: entry.fullUrl } },
      })),
    ],
  };
}

/** Who keeps the document where it is from. */
function custodianOf({ composition, entries, resolve }: ReadDocument, taken: readonly Found[]) {
  const { reference, identifier, display } = composition.custodian ?? {};
  if (reference?.startsWith('#')) {
    const contained = composition.contained?.find(({ id }) => `#${id}` === reference);
    if (contained?.resourceType !== 'Organization') return undefined;
    const [number] = contained.identifier ?? [];
    const { system, value } = number ?? {};
    return {
      ...(value ? { identifier: { ...(system ? { system } : {}), value } } : {}),
      display: clean(contained.name) || 'The custodian of the document',
    };
  }
  const url = reference === undefined ? undefined : resolve({ fullUrl: '', resource: composition }, reference);
  const found = taken.find(({ entry }) => entry.fullUrl === url);
  if (found?.type === 'Organization') return { reference: `Organization/${found.id}` };
  const brought = entries.find(({ fullUrl }) => fullUrl === url)?.resource;
  const name = clean(display) || (brought?.resourceType === 'Organization' ? clean(brought.name) : '');
  const who = {
    ...(url?.startsWith('http') ? { reference: url } : {}),
    ...(identifier ? { identifier } : {}),
    ...(name === '' ? {} : { display: name }),
  };
  return Object.keys(who).length > 0 ? who : undefined;
}
