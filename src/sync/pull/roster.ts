// Pulls a type patient by patient from a server that does not tell what changed. An equal answer costs no parsing and no
// commit of its own; a changed one is compared resource by resource; what is missing from a whole one is asked for by its
// id, never taken for deleted. docs/sync-spec.md#I21 docs/sync-spec.md#I29
import { saysNotOffered } from '../../remote/absence.ts';
import type { RemoteFailure } from '../../remote/result.ts';
import type { Lease } from '../../store/lease.ts';
import type { Statement } from '../../store/store.ts';
import { readCheckpoint, saveCheckpoint, streamKey } from '../checkpoint.ts';
import { secondsToNextPull } from '../connections/pull-interval.ts';
import { actorOf } from '../connections/settings.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { inParallel } from '../in-parallel.ts';
import { writeMessage } from '../messages/message-log.ts';
import { startMissed, startProbe } from './delete-probe.ts';
import type { Incoming } from './incoming.ts';
import { planPage } from './plan-page.ts';
import { noteProgress } from './progress.ts';
import { applyPage, readPage } from './pull-page.ts';
import type { PullResult } from './pull-result.ts';
import { readFact, saveFact } from './remote-fact.ts';
import { askSubject, type Conditions, type SubjectAnswer } from './roster-answer.ts';
import { forgetRoster, nextDue, type RosterRow, saveRosterRow, subjects } from './roster-rows.ts';
import { type PullPlan, streamOf } from './strategy.ts';
import { isRefusal } from './type-refusal.ts';

/** How a roster is to be run. */
export interface RosterWish {
  /** A person asks: all patients at once. Otherwise those that are due, within a budget. */
  readonly asked: boolean;
  /** A sweep: every answer is read, whatever was known. */
  readonly fresh?: boolean;
  /** Told of the remote ids of each subject, and whether there may be more. */
  readonly onAnswer?: (ids: readonly string[], complete: boolean) => void;
}

/** So many refused subjects in a row, and none that was answered, say that it is the type that is refused. */
const REFUSED_IN_A_ROW = 3;
const DAY = 24 * 60 * 60_000;
const BATCH = 200;
/** After which everything of an answer is known, so that an equal one need not be read. */
const SETTLED = new Set<Incoming['outcome']>(['echo', 'out-of-scope', 'created', 'updated', 'merged', 'linked']);

export async function pullRoster(
  context: RunContext,
  type: string,
  plan: PullPlan,
  lease: Lease,
  wish: RosterWish,
): Promise<PullResult> {
  return new RosterRun(context, type, plan, lease, wish).pull();
}

class RosterRun {
  readonly #context: RunContext;
  readonly #type: string;
  readonly #plan: PullPlan;
  readonly #lease: Lease;
  readonly #wish: RosterWish;
  readonly #key: string;
  readonly #overlap: number;
  #conditions: Conditions = { list: [''], dropped: new Set() };
  /** Bookkeeping of answers that brought nothing, for one commit of many. */
  #quiet: Statement[] = [];
  #applied = 0;
  #answered = 0;
  #refused = 0;
  #failure: RemoteFailure | undefined;
  #isClosed = false;

  constructor(context: RunContext, type: string, plan: PullPlan, lease: Lease, wish: RosterWish) {
    const { connection, remote } = context;
    this.#context = context;
    this.#type = type;
    this.#plan = plan;
    this.#lease = lease;
    this.#wish = wish;
    this.#key = streamKey(connection.name, type, remote.baseUrl, 'roster', streamOf(context, type, plan).filter);
    this.#overlap = Math.max(connection.overlapSeconds, remote.vendor.overlapSeconds);
  }

  async pull(): Promise<PullResult> {
    const { remote, connection, clock } = this.#context;
    const checkpoint = await this.#begin();
    const learned = await this.#loadConditions();
    // What the server allows between two pulls, so that a run never takes longer than its interval.
    const budget = Math.ceil(remote.requestsPerSecond * secondsToNextPull(connection, clock.now()));
    const most = this.#wish.asked ? undefined : budget;
    for await (const rows of subjects(this.#context, this.#type, this.#plan, this.#key, most)) {
      await inParallel(
        rows,
        remote.concurrency,
        (row) => this.#ask(row),
        () => this.#isOver(),
      );
      if (this.#isOver()) break;
    }
    if (this.#conditions.list.join() !== learned.join()) {
      const name = `conditions:${this.#type}`;
      this.#quiet.push(saveFact(connection.name, name, JSON.stringify(this.#conditions.list), realNow(this.#context)));
    }
    const done = this.#failure === undefined && !this.#isOver();
    if (done) this.#quiet.push(saveCheckpoint({ ...checkpoint, ranAt: realNow(this.#context) }));
    await this.#flush();
    const applied = this.#applied;
    if (this.#failure) return { outcome: 'failed', applied, failure: this.#failure, atStart: this.#answered === 0 };
    return { outcome: done ? 'done' : 'stopped', applied };
  }

  /** Another filter or another state of the server makes everything that was known worthless. */
  async #begin() {
    const { store, connection, remote, epoch, runId } = this.#context;
    const { filter } = streamOf(this.#context, this.#type, this.#plan);
    const known = await readCheckpoint(
      store,
      connection.name,
      this.#type,
      remote.baseUrl,
      this.#overlap,
      'roster',
      filter,
    );
    if (known.epoch === epoch) return known;
    const kept = known.epoch === undefined ? this.#key : '';
    // Silence begins with the first round, not at the beginning of time.
    const checkpoint = { ...known, epoch, ranAt: known.ranAt === 0 ? realNow(this.#context) : known.ranAt };
    const forgotten = forgetRoster(connection.name, this.#type, kept);
    await store.commit(actorOf(connection, runId), [], [forgotten, saveCheckpoint(checkpoint), this.#lease.fence]);
    return checkpoint;
  }

  async #loadConditions(): Promise<readonly string[]> {
    const { store, connection, remote } = this.#context;
    const stated = remote.vendor.required[this.#type];
    const fact = stated ? undefined : await readFact(store, connection.name, `conditions:${this.#type}`);
    const list: readonly string[] = stated ?? (fact ? JSON.parse(fact.value) : ['']);
    this.#conditions = { list, dropped: new Set() };
    return list;
  }

  #isOver(): boolean {
    const { signal, remote } = this.#context;
    return this.#isClosed || signal.aborted || this.#lease.signal.aborted || remote.breaker.status.state !== 'closed';
  }

  async #ask(row: RosterRow): Promise<void> {
    const run = ownExchanges(this.#context);
    const narrowed = this.#plan.narrowed === true && !this.#wish.fresh && row.highWater !== undefined;
    const since = narrowed
      ? Temporal.Instant.from(String(row.highWater)).subtract({ seconds: this.#overlap }).toString()
      : undefined;
    const wish = { fresh: this.#wish.fresh ?? false, since };
    const reply = await askSubject(run, this.#type, this.#plan, row, this.#conditions, wish);
    if (!reply.ok) return this.#fail(run, row, reply.failure);
    this.#answered += 1;
    const answer = reply.value;
    this.#wish.onAnswer?.(
      answer.answers.flatMap(({ ids }) => ids),
      answer.complete,
    );
    await this.#take(run, row, answer, narrowed);
  }

  async #take(run: RunContext, row: RosterRow, answer: SubjectAnswer, narrowed: boolean): Promise<void> {
    const { connection } = run;
    const { entries, ...page } = readPage(this.#type, answer.bundle);
    const { incoming, ...planned } = await planPage(run, this.#type, entries);
    const refused = [...page.refused, ...planned.refused];
    const isQuiet = refused.length + answer.gone.length === 0 && incoming.every(changesNothing);
    const isSettled = refused.length === 0 && incoming.every(({ outcome }) => SETTLED.has(outcome));
    const now = realNow(run);
    const answers = isSettled ? answer.answers : answer.answers.map(({ mark: _mark, ...rest }) => rest);
    const absent = answer.complete && !narrowed ? absentFrom(row, answer) : [];
    const next: RosterRow = {
      ...row,
      answers: answer.complete ? answers : keepMissing(row, answers),
      ...(answer.complete ? { completeAt: now, highWater: answer.date?.toString() ?? row.highWater } : {}),
    };
    const probes = [
      ...absent.map((id) => startProbe(connection.name, this.#type, id, now)),
      ...answer.missing.map((id) => startMissed(connection.name, this.#type, id, now)),
    ];
    const alongside = (hasChanged: boolean) => {
      const changedAt = hasChanged ? now : (row.changedAt ?? now);
      const dueAt = nextDue(now, changedAt, connection.pullEverySeconds);
      const saved = saveRosterRow(connection.name, this.#type, this.#key, next, changedAt, dueAt);
      return [saved, ...probes, ...this.#messages(run, hasChanged ? 'applied' : 'unchanged')];
    };
    if (isQuiet) {
      this.#quiet.push(...alongside(false));
      if (this.#quiet.length >= BATCH) await this.#flush();
      return;
    }
    const result = await applyPage(
      run,
      this.#type,
      answer.bundle,
      ({ applied, quarantined }) => [...alongside(applied + quarantined > 0), noteProgress(run), this.#lease.fence],
      { remoteIds: answer.gone, isLost: false },
    );
    this.#applied += result.applied;
  }

  async #fail(run: RunContext, row: RosterRow, failed: RemoteFailure): Promise<void> {
    const { connection, remote } = run;
    const { restrictedOutcomes } = remote.vendor;
    const isOfPatient = failed.issues?.some(({ details }) =>
      details?.coding?.some(({ code }) => code !== undefined && restrictedOutcomes.includes(code)),
    );
    this.#quiet.push(...this.#messages(run, failed.class, failed.message));
    const isOfType = saysNotOffered(failed);
    if (isRefusal(failed) && !isOfType && (isOfPatient || this.#answered > 0)) {
      // It is about this patient: asked again tomorrow.
      const now = realNow(run);
      const { changedAt = now } = row;
      this.#quiet.push(saveRosterRow(connection.name, this.#type, this.#key, row, changedAt, now + DAY));
      return;
    }
    this.#failure ??= failed;
    this.#refused += isRefusal(failed) ? 1 : 0;
    const isOfAll = failed.class === 'auth' || failed.status === 403 || isOfType;
    if (isOfAll || this.#refused >= REFUSED_IN_A_ROW) this.#isClosed = true;
  }

  /** @param why of a failure that is ours to tell: what the server refused says so itself */
  #messages(run: RunContext, outcome: string, why?: string): Statement[] {
    const { connection, runId } = run;
    const about = { connection: connection.name, runId, direction: 'pull', type: this.#type, outcome } as const;
    const keepResponse = outcome !== 'unchanged';
    return run.exchanges.take().map((exchange) => {
      const detail = exchange.failure ? undefined : why;
      return writeMessage({ ...about, exchange, keepResponse, detail }, realNow(run));
    });
  }

  async #flush(): Promise<void> {
    const statements = this.#quiet;
    this.#quiet = [];
    if (statements.length === 0) return;
    const { store, connection, runId } = this.#context;
    const progress = noteProgress(this.#context);
    await store.commit(actorOf(connection, runId), [], [...statements, progress, this.#lease.fence]);
  }
}

function changesNothing({ outcome, changes, statements }: Incoming): boolean {
  return (
    (outcome === 'echo' || outcome === 'out-of-scope' || outcome === 'waiting') &&
    changes.length + statements.length === 0
  );
}

function absentFrom(row: RosterRow, answer: SubjectAnswer): string[] {
  const here = new Set(answer.answers.flatMap(({ ids }) => ids));
  return row.answers.flatMap(({ ids }) => ids).filter((id) => !here.has(id) && !answer.missing.includes(id));
}

/** After an answer with gaps, what was known before stays known, so that a whole one later can tell what is missing. */
function keepMissing(row: RosterRow, answers: SubjectAnswer['answers']): RosterRow['answers'] {
  return answers.map(({ condition, ids }) => {
    const known = row.answers.find((answer) => answer.condition === condition)?.ids ?? [];
    return { condition, ids: [...new Set([...known, ...ids])] };
  });
}
