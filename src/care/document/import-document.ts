// Reconciles a document from elsewhere into a case: finds each resource again or makes it, merges what both sides changed,
// keeps the document and says where everything is from. One commit, or nothing.

import { createHash } from 'node:crypto';
import type { DocumentReference, Provenance, Reference, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { canonicalJson, type Json } from '../../fhir/canonical-json.ts';
import { clean } from '../../fhir/care-plan-document/words.ts';
import type { Change } from '../../fhir/change.ts';
import { stringifyExact } from '../../fhir/exact-json.ts';
import type { Preference } from '../../fhir/merge3.ts';
import { isOver } from '../cases/episode.ts';
import { readCase } from '../cases/find-cases.ts';
import { concept } from '../concept.ts';
import { derivedId } from '../derived-id.ts';
import { narrative } from '../narrative.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { baseOf } from './base-of.ts';
import type { Difference, ImportDocument } from './document-schema.ts';
import { earlierImports, provenanceId } from './earlier-imports.ts';
import { entryLine } from './entry-line.ts';
import type { Exchange } from './exchange.ts';
import { type Found, findLocal, type Here } from './find-local.ts';
import { FULL_URL, localised, withCaseNamesOf } from './localise.ts';
import { withoutOwnIdentifier, withoutVersions, withVersionsOf } from './own-identifier.ts';
import { type ReadDocument, readDocument } from './read-document.ts';
import { TRANSFER_SUMMARY } from './toc-sections.ts';
import { differencesOf, Undecided } from './undecided.ts';

export interface ImportInput {
  readonly caseId: string;
  readonly body: ImportDocument;
}

/**
 * @throws Fault unprocessable for a document that is none, is invalid or is about somebody else; conflict when another
 * document came under its identifier; Undecided when a person has to decide
 */
export async function importDocument(
  records: Records,
  caller: Caller,
  exchange: Exchange,
  { caseId, body }: ImportInput,
): Promise<Planned> {
  const episode = await caseForImport(records, caseId);
  const patient = await patientOf(records, episode);
  const document = readDocument(body.document, exchange);
  refuseOther(exchange, patient, document);
  const kept = keptAs(document, patient, episode, caller);
  const before = await records.read('DocumentReference', kept.id);
  if (before) return sameAgain(before, kept);
  const earlier = await earlierImports(records, patient.id, exchange.fhirBase);
  const here: Here = { records, exchange, episode, patient, earlier };
  const found = await findLocal(here, document);
  const taken = found.filter(({ local, type }) => local !== undefined || exchange.mayCreate(type));
  const names = new Map(taken.map(({ entry, type, id }) => [entry.fullUrl, `${type}/${id}`]));
  const decisions = new Map((body.decisions ?? []).map(({ item, take }) => [item, take]));
  const changes: Change[] = [];
  const open: Difference[] = [];
  const asked = new Set<string>();
  for (const one of taken) {
    const theirs = withoutOwnIdentifier(
      exchange,
      localised(one.entry, { names, resolve: document.resolve, fhirBase: exchange.fhirBase }),
    );
    const { change, differences } = await reconciled(here, one, theirs, decisions);
    for (const { item } of differences) asked.add(item);
    open.push(...differences.filter((each) => !isDecided(each, decisions)));
    if (change) changes.push(change);
  }
  refuseUnasked(body, asked);
  if (open.length > 0) throw new Undecided(open);
  const provenance = provenanceOf({ kept, document, taken, changes, caller, exchange });
  return {
    about: 0,
    passesOn: true,
    changes: [
      { op: 'create', id: kept.id, resource: kept },
      ...changes,
      { op: 'create', id: provenanceId(kept.id), resource: provenance },
    ],
  };
}

/** @throws Fault not-found | unprocessable */
async function caseForImport(records: Records, id: string): Promise<Kept<'EpisodeOfCare'>> {
  const episode = await readCase(records, id);
  if (!episode) throw new Fault('not-found', 'There is no such case, or it is not open to who asks.');
  if (isOver(episode)) {
    throw new Fault('unprocessable', 'The case is over; open one to bring a document into it.', {
      code: 'business-rule',
    });
  }
  return episode;
}

async function patientOf(records: Records, { patient }: Kept<'EpisodeOfCare'>): Promise<Kept<'Patient'>> {
  const id = idOf(patient, 'Patient');
  const found = id === undefined ? undefined : await records.read('Patient', id);
  if (found) return found;
  throw new Fault('forbidden', 'A document is brought in by who may read the patient of the case.');
}

/** @throws Fault unprocessable */
function refuseOther(exchange: Exchange, here: Kept<'Patient'>, { patient }: ReadDocument): void {
  const { fullUrl, resource, place } = patient;
  if (fullUrl === `${exchange.fhirBase}/Patient/${here.id}` || exchange.isSamePerson(here, resource)) return;
  const sentence =
    'The patient of the document is not known to be the patient of the case: they share no number, and what the two ' +
    'records say is not enough.';
  throw new Fault('unprocessable', sentence, { code: 'business-rule', expression: place });
}

type KeptDocument = DocumentReference & { readonly id: string };

function keptAs(
  { bundle, identifier, composition }: ReadDocument,
  patient: Kept<'Patient'>,
  episode: Kept<'EpisodeOfCare'>,
  caller: Caller,
): KeptDocument {
  const bytes = Buffer.from(stringifyExact(bundle), 'utf8');
  // Of what it says: whoever sends it again may order its members otherwise, and put it together at another time.
  const { timestamp: _, ...said } = bundle;
  const hash = createHash('sha1')
    .update(canonicalJson(said as unknown as Json))
    .digest('base64');
  return {
    resourceType: 'DocumentReference',
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
function sameAgain(before: Kept<'DocumentReference'>, now: KeptDocument): Planned {
  const hashOf = ({ content }: DocumentReference) => content[0]?.attachment.hash;
  if (hashOf(before) !== hashOf(now)) {
    const sentence = 'Another document came with this identifier. A document that has changed has a new one.';
    throw new Fault('conflict', sentence, { code: 'duplicate', expression: 'Bundle.identifier' });
  }
  const { resourceType, id } = before;
  return { about: 0, changes: [{ op: 'patch', type: resourceType, id, revise: (current) => current }] };
}

type Decisions = ReadonlyMap<string, 'ours' | 'theirs'>;

interface Reconciled {
  readonly change?: Change | undefined;
  /** All that a person has or had to decide. */
  readonly differences: readonly Difference[];
}

async function reconciled(here: Here, found: Found, theirs: Resource, decisions: Decisions): Promise<Reconciled> {
  const { local, role, type, id } = found;
  if (role === 'same') return { differences: [] };
  if (!local) return { change: { op: 'create', id, resource: theirs }, differences: [] };
  const base = role === 'frame' ? undefined : await baseOf(here, found);
  const isShared = type === 'Patient' || !here.exchange.isAboutPatients(type);
  // Whoever keeps the record of people and places keeps it; a document tells who they are, not what they have become.
  if (base === undefined && isShared) return { differences: [] };
  const ours = local as Resource;
  const copies = {
    base: base && withoutVersions(base),
    ours: withoutVersions(ours),
    theirs: withoutVersions(withCaseNamesOf(ours, theirs)),
    ...(role === 'frame' ? { otherwise: 'ours' as const } : {}),
  };
  const undecided = here.exchange.merge({ ...copies, decided: {} });
  const differences = differencesOf(`${type}/${id}`, undecided.conflicts);
  const decided: Record<string, Preference> = {};
  for (const { item, element } of differences) {
    const take = decisions.get(item);
    if (take !== undefined) decided[element] = take;
  }
  const merged = Object.keys(decided).length > 0 ? here.exchange.merge({ ...copies, decided }) : undecided;
  const { resource } = merged;
  if (!resource) return { differences };
  const next = withVersionsOf(retold(resource, ours), theirs, ours);
  return { change: { op: 'update', resource: next, ifMatch: local.meta.versionId }, differences };
}

/** Merging drops what was written from the data, which has changed; who reads only that must still find something. */
function retold(merged: Resource, ours: Resource): Resource {
  const told = (ours as { text?: unknown }).text;
  if (told === undefined || 'text' in merged) return merged;
  return { ...merged, text: narrative(entryLine(merged), []) } as Resource;
}

/** @throws Fault unprocessable for what may not be chosen */
function isDecided({ item, take }: Difference, decisions: Decisions): boolean {
  const taken = decisions.get(item);
  if (taken === undefined) return false;
  if (take.includes(taken)) return true;
  throw new Fault(
    'unprocessable',
    `Of ${item} only ${take.join(' or ')} can be taken: the other is a step that nobody may take.`,
    {
      code: 'business-rule',
      expression: 'decisions',
    },
  );
}

/** @throws Fault unprocessable: a decision that decides nothing was meant for something else */
function refuseUnasked({ decisions = [] }: ImportDocument, asked: ReadonlySet<string>): void {
  const index = decisions.findIndex(({ item }) => !asked.has(item));
  if (index < 0) return;
  throw new Fault('unprocessable', 'Nothing has to be decided about this item; look at the differences again.', {
    code: 'business-rule',
    expression: `decisions[${index}].item`,
  });
}

interface Told {
  readonly kept: KeptDocument;
  readonly document: ReadDocument;
  readonly taken: readonly Found[];
  readonly changes: readonly Change[];
  readonly caller: Caller;
  readonly exchange: Exchange;
}

const PARTICIPANT = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type';

/** The first entity is the document; the others say who is who. */
function provenanceOf({ kept, document, taken, changes, caller, exchange }: Told): Provenance {
  const onBehalfOf: Reference = {
    identifier: { value: exchange.baseUrl },
    display: 'The organization that runs this Baton',
  };
  const custodian = custodianOf(document, taken);
  const targets = changes.flatMap((change) => {
    if (change.op === 'create') return `${change.resource.resourceType}/${change.id}`;
    return change.op === 'update' ? `${change.resource.resourceType}/${change.resource.id}` : [];
  });
  return {
    resourceType: 'Provenance',
    target: [`DocumentReference/${kept.id}`, ...targets].map((reference) => ({ reference })),
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
        role: 'source' as const,
        what: { reference: `${type}/${id}`, identifier: { system: FULL_URL, value: entry.fullUrl } },
      })),
    ],
  };
}

/** Who keeps the document where it is from. */
function custodianOf({ composition, resolve }: ReadDocument, taken: readonly Found[]) {
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
  if (!identifier && !display && !url) return undefined;
  return {
    ...(url?.startsWith('http') ? { reference: url } : {}),
    ...(identifier ? { identifier } : {}),
    ...(display ? { display } : {}),
  };
}
