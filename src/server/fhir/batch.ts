// batch and transaction. The changes of a transaction are one commit; the entries of a batch are on their own. Reads and
// searches run after the changes, and every answer stands where its entry stood.
// https://hl7.org/fhir/R4/http.html#transaction
import { decide, decideFully, reachesAll } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import { asFault, Fault, outcomeOf } from '../../fault.ts';
import { type EntryRequest, readBundle } from '../../fhir/bundle.ts';
import type { Change } from '../../fhir/change.ts';
import { etagOf } from '../../fhir/etag.ts';
import type { Outcome } from '../../store/store.ts';
import { information, versionUrl } from './answer.ts';
import { auditOfEntry } from './audit-entry.ts';
import { authorizeChange } from './authorize-change.ts';
import { bundleText, type EntryParts, entryText } from './bundle-text.ts';
import { commitOne } from './commit-one.ts';
import type { Answer, FhirContext, FhirRequest } from './context.ts';
import { type Prefer, parsePrefer } from './prefer.ts';
import { readCurrent } from './read.ts';
import { planSearch, searchBundle } from './search.ts';
import { statusLine } from './status-line.ts';
import { readVersion } from './vread.ts';

type Question = Exclude<EntryRequest, { kind: 'change' }>;

interface Run {
  readonly context: FhirContext;
  readonly grant: Grant;
  readonly prefer: Prefer;
}

export async function batch(context: FhirContext, { grant, headers, body }: FhirRequest): Promise<Answer> {
  const run = { context, grant, prefer: parsePrefer(headers.prefer) };
  const rules = { baseUrl: context.base(), isType: context.isType, maxEntries: context.maxBundleEntries };
  const { type, entries } = readBundle(body, rules);
  const answers = type === 'batch' ? await runBatch(run, entries) : await runTransaction(run, entries);
  const text = bundleText(context.clock, `${type}-response`, { entries: answers.map(entryText) });
  return { status: 200, body: text };
}

/** Changes of a batch are submitted together, so that they share the store's group commit. */
async function runBatch(run: Run, entries: readonly (EntryRequest | Fault)[]): Promise<EntryParts[]> {
  const changes = entries.map(async (entry) => {
    if (entry instanceof Fault) return faultEntry(entry);
    if (entry.kind !== 'change') return undefined;
    const { change } = entry;
    return attempt(run, entry, async () => {
      authorizeChange(run.context, run.grant, change);
      return changeEntry(run, await commitOne(run.context, run.grant, change));
    });
  });
  const answers: EntryParts[] = [];
  const changed = await Promise.all(changes);
  for (const [index, entry] of entries.entries()) {
    const answered = changed[index];
    if (answered) answers.push(answered);
    else if (!(entry instanceof Fault) && entry.kind !== 'change') {
      answers.push(await attempt(run, entry, () => questionEntry(run, entry)));
    }
  }
  return answers;
}

/** A failed entry of a batch is an answer like any other, and is audited here because the request as a whole succeeds. */
async function attempt(run: Run, entry: EntryRequest, work: () => Promise<EntryParts>): Promise<EntryParts> {
  try {
    return await work();
  } catch (error) {
    const fault = asFault(error);
    run.context.store.audit(auditOfEntry(run.grant, entry, fault.status));
    return faultEntry(fault);
  }
}

async function runTransaction(run: Run, entries: readonly (EntryRequest | Fault)[]): Promise<EntryParts[]> {
  const asked = entries.filter((entry) => !(entry instanceof Fault));
  const changes = asked.flatMap((entry) => (entry.kind === 'change' ? [entry.change] : []));
  for (const change of changes) authorizeChange(run.context, run.grant, change);
  for (const entry of asked) if (entry.kind !== 'change') await refuseHopeless(run, entry, changes);
  const outcomes = (await run.context.store.commit(run.grant.actor, changes, [], { transaction: true })).values();
  const answers: EntryParts[] = [];
  for (const entry of asked) {
    const outcome = entry.kind === 'change' ? outcomes.next().value : undefined;
    if (outcome) answers.push(changeEntry(run, outcome));
    // The changes are on disk: what goes wrong from here on is the answer of this entry, not of the transaction.
    else if (entry.kind !== 'change') answers.push(await attempt(run, entry, () => questionEntry(run, entry)));
  }
  return answers;
}

/**
 * A question that must fail fails the transaction before it has written anything.
 * @throws Fault invalid | forbidden | not-found | gone
 */
async function refuseHopeless({ context, grant, prefer }: Run, asked: Question, changes: readonly Change[]) {
  if (asked.kind === 'search') {
    planSearch(context, grant, asked, prefer.handling);
    return;
  }
  const { type, id, versionId } = asked;
  const isPut = (change: Change) =>
    change.op === 'update' && change.resource.resourceType === type && change.resource.id === id;
  if (changes.some(isPut)) {
    // The version it asks for may be the one that this transaction makes; only the right to see it is known yet.
    if (versionId) decideFully(grant, 'vread', type);
    else decide(grant, 'read', type);
  } else if (versionId) {
    await readVersion(context, grant, { type, id, versionId });
  } else {
    await readCurrent(context, grant, type, id);
    if (changes.some((change) => change.op === 'delete' && change.type === type && change.id === id)) {
      throw new Fault('gone', `The transaction reads ${type}/${id}, which it deletes.`);
    }
  }
}

function changeEntry({ context, grant, prefer }: Run, outcome: Outcome): EntryParts {
  const { status, type, id, versionId, lastUpdated } = outcome;
  if (status === 204) {
    return { response: { status: statusLine(204), ...(versionId ? { etag: etagOf(versionId) } : {}) } };
  }
  const mayShow = outcome.written || reachesAll(grant, 'read', type);
  return {
    fullUrl: `${context.base()}/${type}/${id}`,
    resource: prefer.return === 'representation' && mayShow ? outcome.content : undefined,
    response: {
      status: statusLine(status),
      location: versionUrl(context, outcome),
      etag: etagOf(versionId),
      lastModified: lastUpdated,
      ...(prefer.return === 'OperationOutcome' ? { outcome: JSON.parse(information('All OK.')) } : {}),
    },
  };
}

async function questionEntry(run: Run, question: Question): Promise<EntryParts> {
  const answer = await answerQuestion(run, question);
  run.context.store.audit(auditOfEntry(run.grant, question, 200));
  return answer;
}

async function answerQuestion(run: Run, question: Question): Promise<EntryParts> {
  const { context, grant } = run;
  const ok = { status: statusLine(200) };
  if (question.kind === 'search') {
    const resource = await searchBundle(context, grant, question, run.prefer.handling);
    return { resource, response: ok };
  }
  const { type, id, versionId, ifNoneMatch } = question;
  const version = versionId
    ? await readVersion(context, grant, { type, id, versionId })
    : await readCurrent(context, grant, type, id);
  const response = { etag: etagOf(version.versionId), lastModified: version.lastUpdated };
  if (ifNoneMatch === version.versionId) return { response: { status: statusLine(304), ...response } };
  return {
    fullUrl: `${context.base()}/${type}/${id}`,
    resource: version.content,
    response: { ...ok, ...response },
  };
}

function faultEntry(fault: Fault): EntryParts {
  return { response: { status: statusLine(fault.status), outcome: outcomeOf(fault) } };
}
