// batch and transaction. The changes of a transaction are one commit; the entries of a batch are on their own. Reads and
// searches run after the changes, and every answer stands where its entry stood.
// https://hl7.org/fhir/R4/http.html#transaction
import { asFault, Fault, outcomeOf } from '../../fault.ts';
import { readBundle } from '../../fhir/bundle.ts';
import type { EntryRequest } from '../../fhir/bundle-entry.ts';
import type { Change } from '../../fhir/change.ts';
import { etagOf } from '../../fhir/etag.ts';
import type { Outcome } from '../../store/store.ts';
import { information, versionUrl } from './answer.ts';
import { answerQuestion, auditFailure, refuseHopeless } from './answer-question.ts';
import { auditOfChange } from './audit-entry.ts';
import { authorizeChange } from './authorize-change.ts';
import { bundleText, type EntryParts, entryText } from './bundle-text.ts';
import { commitChanges, commitOne } from './commit-one.ts';
import type { Answer, FhirContext, FhirRequest } from './context.ts';
import { parsePrefer } from './prefer.ts';
import type { Run } from './run.ts';
import { statusLine } from './status-line.ts';
import { mayShow } from './write-guard.ts';

export async function batch(context: FhirContext, { grant, headers, body }: FhirRequest): Promise<Answer> {
  const run: Run = { context, grant, prefer: headers.prefer, wanted: parsePrefer(headers.prefer) };
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
    return entry.kind === 'change' ? attempt(run, entry, () => changeAlone(run, entry.change)) : undefined;
  });
  const answers: EntryParts[] = [];
  const changed = await Promise.all(changes);
  for (const [index, entry] of entries.entries()) {
    const answered = changed[index];
    if (answered) answers.push(answered);
    else if (!(entry instanceof Fault) && entry.kind === 'question') {
      answers.push(await attempt(run, entry, () => answerQuestion(run, entry)));
    }
  }
  return answers;
}

async function changeAlone(run: Run, change: Change): Promise<EntryParts> {
  const authorized = authorizeChange(run.context, run.grant, change);
  return changeEntry(run, change, await commitOne(run.context, run.grant, authorized));
}

/** A failed entry of a batch is an answer like any other, and is audited here because the request as a whole succeeds. */
async function attempt(run: Run, entry: EntryRequest, work: () => Promise<EntryParts>): Promise<EntryParts> {
  try {
    return await work();
  } catch (error) {
    const fault = asFault(error);
    if (entry.kind === 'change') run.context.store.audit(auditOfChange(run.grant, entry.change, fault.status));
    else auditFailure(run, entry, fault.status);
    return faultEntry(fault);
  }
}

async function runTransaction(run: Run, entries: readonly (EntryRequest | Fault)[]): Promise<EntryParts[]> {
  const asked = entries.filter((entry) => !(entry instanceof Fault));
  const changes = asked.flatMap((entry) =>
    entry.kind === 'change' ? [authorizeChange(run.context, run.grant, entry.change)] : [],
  );
  for (const entry of asked) if (entry.kind === 'question') await refuseHopeless(run, entry, changes);
  const outcomes = (await commitChanges(run.context, run.grant, changes, { transaction: true })).values();
  const answers: EntryParts[] = [];
  for (const entry of asked) {
    if (entry.kind === 'question') {
      // The changes are on disk: what goes wrong from here on is the answer of this entry, not of the transaction.
      answers.push(await attempt(run, entry, () => answerQuestion(run, entry)));
      continue;
    }
    const outcome = outcomes.next().value;
    if (outcome) answers.push(await changeEntry(run, entry.change, outcome));
  }
  return answers;
}

async function changeEntry({ context, grant, wanted }: Run, change: Change, outcome: Outcome): Promise<EntryParts> {
  const { status, type, id, versionId, lastUpdated } = outcome;
  const told = wanted.return === 'OperationOutcome' ? { outcome: JSON.parse(information('All OK.')) } : {};
  if (status === 204) {
    return { response: { status: statusLine(204), ...(versionId ? { etag: etagOf(versionId) } : {}), ...told } };
  }
  const isOwn = outcome.written && change.op !== 'patch';
  const isShown = wanted.return === 'representation' && (isOwn || (await mayShow(context, grant, type, id)));
  return {
    fullUrl: `${context.base()}/${type}/${id}`,
    resource: isShown ? outcome.content : undefined,
    response: {
      status: statusLine(status),
      location: versionUrl(context, outcome),
      etag: etagOf(versionId),
      lastModified: lastUpdated,
      ...told,
    },
  };
}

function faultEntry(fault: Fault): EntryParts {
  return { response: { status: statusLine(fault.status), outcome: outcomeOf(fault) } };
}
