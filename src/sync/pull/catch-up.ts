// What a server has had of a patient since before the two were linked, or the patient was in scope. The streams have passed it
// by as a stranger's and only a sweep would come back to it, so the next pull asks for it once. docs/sync-spec.md#I8
import type { Lease } from '../../store/lease.ts';
import { actorOf } from '../connections/settings.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { inParallel } from '../in-parallel.ts';
import { readLinkMap } from '../link-map.ts';
import { writeMessage } from '../messages/message-log.ts';
import { applyPage } from './pull-page.ts';
import { forgetFact, readFacts } from './remote-fact.ts';
import { askSubject, type Conditions } from './roster-answer.ts';
import { choosePlan, type PullPlan } from './strategy.ts';
import { CATCH_UP, startCatchUp } from './to-catch-up.ts';
import { readRefusal } from './type-refusal.ts';

/** Of one pull, so that many new links do not hold up what changes meanwhile. */
const MOST_PATIENTS = 200;

/** How the record of a patient who is not here yet is read. */
const RECORD: PullPlan = { strategy: 'roster', by: 'id', why: 'it is read once' };

/**
 * Reads what some of those patients have; the others are for the pulls after this one.
 * @param types that are pulled, in their order
 */
export async function catchUp(context: RunContext, types: readonly string[], lease: Lease): Promise<void> {
  const { store, connection, remote, runId } = context;
  const patients = await readFacts(store, connection.name, CATCH_UP, MOST_PATIENTS);
  if (patients.size === 0) return;
  const plans = await plansOf(context, types);
  const over = () => isOver(context, lease);
  const isPulled = types.includes('Patient');
  const readPatient = async (patient: string) => {
    let isRead =
      (await isKnown(context, patient)) || !isPulled || (await readAll(context, 'Patient', RECORD, patient, lease));
    // Of who is asked about, it is asked for when that is answered.
    const wanted = isRead && (await isKnown(context, patient)) ? plans : [];
    for (const [type, plan] of wanted) {
      if (over()) return;
      isRead = await readAll(context, type, plan, patient, lease);
      if (!isRead) break;
    }
    // Whom the server cannot answer about goes behind the others.
    const next = isRead
      ? forgetFact(connection.name, `${CATCH_UP}${patient}`)
      : startCatchUp(connection.name, patient, realNow(context));
    await store.commit(actorOf(connection, runId), [], [next, lease.fence]);
  };
  await inParallel([...patients.keys()], remote.concurrency, readPatient, over);
}

/** By a record that it was merged into, too, or as a second one of ours. */
async function isKnown({ store, connection }: RunContext, patient: string): Promise<boolean> {
  const links = await readLinkMap(store, connection.name, [], [{ type: 'Patient', id: patient }]);
  return links.localOf('Patient', patient) !== undefined;
}

/** How one patient's resources are asked for, of the types that are not read patient by patient anyway. */
async function plansOf(context: RunContext, types: readonly string[]): Promise<Map<string, PullPlan>> {
  const { connection, capability, remote } = context;
  const plans = new Map<string, PullPlan>();
  for (const type of types) {
    const { unable, closed } = await readRefusal(context, type);
    if (closed || choosePlan(connection, capability, remote.vendor, type, unable).strategy === 'roster') continue;
    const plan = choosePlan({ strategies: { [type]: 'roster' } }, capability, remote.vendor, type);
    if (plan.strategy === 'roster' && plan.by !== 'id') plans.set(type, plan);
  }
  return plans;
}

/** False when it has to be tried again; what the server refuses is left to the sweep. */
async function readAll(
  context: RunContext,
  type: string,
  plan: PullPlan,
  patient: string,
  lease: Lease,
): Promise<boolean> {
  const run = ownExchanges(context);
  const conditions: Conditions = { list: run.remote.vendor.required[type] ?? [''], dropped: new Set() };
  const subject = { subject: patient, answers: [], highWater: undefined, completeAt: undefined, changedAt: undefined };
  const answer = await askSubject(run, type, plan, subject, conditions, { fresh: true, since: undefined });
  const outcome = answer.ok ? 'caught-up' : answer.failure.class;
  const about = { connection: run.connection.name, runId: run.runId, direction: 'pull', type, outcome } as const;
  const messages = () => run.exchanges.take().map((exchange) => writeMessage({ ...about, exchange }, realNow(run)));
  if (answer.ok) {
    await applyPage(run, type, answer.value.bundle, () => [lease.fence, ...messages()]);
    return true;
  }
  await run.store.commit(actorOf(run.connection, run.runId), [], [...messages(), lease.fence]);
  return answer.failure.class === 'permanent';
}

function isOver({ signal, remote }: RunContext, lease: Lease): boolean {
  return signal.aborted || lease.signal.aborted || remote.breaker.status.state !== 'closed';
}
