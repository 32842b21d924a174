// Reconciles a document from elsewhere into a case: finds each resource again or makes it, merges what both sides changed,
// keeps the document and says where everything is from. One commit, or nothing.
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { isOver } from '../cases/episode.ts';
import { readCase } from '../cases/find-cases.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import type { Difference, ImportDocument } from './document-schema.ts';
import { earlierImports, provenanceId } from './earlier-imports.ts';
import type { Exchange } from './exchange.ts';
import { findLocal, type Here } from './find-local.ts';
import { provenanceOf } from './import-provenance.ts';
import { keptAs, sameAgain } from './kept-document.ts';
import { localised } from './localise.ts';
import { withoutOwnIdentifier } from './own-identifier.ts';
import { type ReadDocument, readDocument } from './read-document.ts';
import { type Decisions, reconciled } from './reconcile.ts';
import { Undecided } from './undecided.ts';

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
