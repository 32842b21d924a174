// A command from plan to commit: planned on what is there now, committed with its key in one transaction, planned again when
// somebody else was faster.
import type { Grant } from '../../access/grant.ts';
import type { Planned } from '../../care/records.ts';
import { asFault, Fault, type FaultKind } from '../../fault.ts';
import { versionOf } from '../../fhir/etag.ts';
import type { Outcome } from '../../store/store.ts';
import { commitChanges } from '../fhir/commit-one.ts';
import type { FhirContext } from '../fhir/context.ts';
import { type Done, findDone, keepDone, type Sent } from './idempotency.ts';

/** A plan is made anew this often when what it was made on changed before it was committed. */
const ATTEMPTS = 4;
const OVERTAKEN: ReadonlySet<FaultKind> = new Set(['precondition', 'conflict']);

export interface Command {
  readonly plan: () => Promise<Planned>;
  readonly sent: Sent;
  /** The header If-Match. */
  readonly ifMatch?: string | undefined;
}

export interface CarriedOut extends Done {
  /** True when it had been done before, and was not done again. */
  readonly replayed: boolean;
}

/** @throws Fault whatever the plan or the store's commit says */
export async function carryOut(context: FhirContext, grant: Grant, command: Command): Promise<CarriedOut> {
  const { sent, ifMatch } = command;
  const before = await findDone(context.store, sent);
  if (before) return { ...before, replayed: true };
  for (let attempt = 1; ; attempt++) {
    try {
      return { ...(await attemptOnce(context, grant, command)), replayed: false };
    } catch (error) {
      // The same command may have been carried out meanwhile, which is why this one failed.
      const done = await findDone(context.store, sent);
      if (done) return { ...done, replayed: true };
      const isOvertaken = error instanceof Overtaken && ifMatch === undefined && attempt < ATTEMPTS;
      if (!isOvertaken) throw error instanceof Overtaken ? error.cause : error;
    }
  }
}

/** The commit failed on something that is as it was when the plan was made no longer. */
class Overtaken extends Error {}

async function attemptOnce(context: FhirContext, grant: Grant, { plan, sent, ifMatch }: Command): Promise<Done> {
  const version = ifMatch === undefined ? undefined : versionIn(ifMatch);
  const after = await context.store.head();
  const planned = await plan();
  if (version !== undefined) requireVersion(planned, version);
  let status = 200;
  const alongside = (outcomes: readonly Outcome[]) => {
    const about = aboutOf(outcomes, planned);
    status = about.status;
    return [keepDone(sent, status, about, context.clock)];
  };
  try {
    const { releases = false, passesOn = false, unlessNewer: query } = planned;
    const options = { transaction: true, alongside, releases, ...(query ? { unlessNewer: { query, after } } : {}) };
    const writer = passesOn ? { ...grant, actor: { ...grant.actor, passesOn } } : grant;
    const outcomes = await commitChanges(context, writer, planned.changes, options);
    const { type, id, versionId } = aboutOf(outcomes, planned);
    return { status, type, id, version: versionId };
  } catch (error) {
    throw OVERTAKEN.has(asFault(error).kind) ? new Overtaken('overtaken', { cause: error }) : error;
  }
}

function aboutOf(outcomes: readonly Outcome[], { about }: Planned): Outcome {
  const outcome = outcomes[about];
  if (!outcome) throw new Error('A command must plan a change of what it is about.');
  return outcome;
}

/** `W/"3-5f1c…"` is version 3 as any view has shown it; `W/"3"` says the same. */
export function versionIn(ifMatch: string): string {
  return versionOf(ifMatch, 'If-Match').replace(/-[0-9a-f]{8}$/, '');
}

/** @throws Fault precondition */
function requireVersion({ changes, about }: Planned, version: string): void {
  const change = changes[about];
  const current = change && 'ifMatch' in change ? change.ifMatch : undefined;
  if (current === version) return;
  const sentence =
    current === undefined
      ? 'If-Match names a version, and the command makes something that has none yet.'
      : `It is at version ${current} now; read it again and decide again.`;
  throw new Fault('precondition', sentence, { expression: 'If-Match' });
}
