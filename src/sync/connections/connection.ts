// One connection at work: when it may run, and one run at a time in each direction.
import { randomUUID } from 'node:crypto';
import { asFault } from '../../fault.ts';
import type { Capability } from '../../remote/capability.ts';
import type { FhirClient } from '../../remote/fhir-client.ts';
import { withLease } from '../../store/lease.ts';
import { firstLoad } from '../bulk/first-load.ts';
import { type ConnectionContext, type RunContext, realNow } from '../context.ts';
import { followHints, hasHints, takeHints } from '../hints/take-hints.ts';
import { auditExchange } from '../messages/audit-exchange.ts';
import { dryRunPull, dryRunPush } from '../messages/dry-run.ts';
import { ExchangeLog, writeMessage } from '../messages/message-log.ts';
import { followMerges } from '../patients/follow-merges.ts';
import { takeInHeld } from '../patients/take-in-held.ts';
import { projectionsDue } from '../projections/projection-marks.ts';
import { catchUp } from '../pull/catch-up.ts';
import { beginReading, countAsRead, noteProgress } from '../pull/progress.ts';
import type { PullResult } from '../pull/pull-result.ts';
import { finishPull, preparePull, sweepLeft, sweepSent, sweepTypes } from '../pull/pull-run.ts';
import { takeTurns } from '../pull/take-turns.ts';
import { typesInOrder } from '../pull/type-order.ts';
import { feedOutbox } from '../push/feed.ts';
import { takeUpGivenUp, waysOut } from '../push/given-up.ts';
import { abandonedClaims } from '../push/outbox.ts';
import { drainOutbox } from '../push/push.ts';
import { withheldDue } from '../push/withheld-rows.ts';
import { noteCapability } from './note-capability.ts';
import { isPullTime, type LastPull } from './pull-interval.ts';
import { keepToServer, pullLease } from './same-server.ts';
import { scheduledJob } from './schedule.ts';
import { actorOf, type Connection } from './settings.ts';

export interface ConnectionRuns {
  /** With the mode it has now. */
  readonly connection: Connection;
  /** Takes effect before the next claim or page of a run that is under way. docs/sync-spec.md#I20 */
  setMode(mode: Connection['mode']): void;
  /** Finishes the requests under way and starts no more. */
  halt(): void;
  readonly context: ConnectionContext;
  /** What an exchange by hand works with; undefined when the server may not or cannot be asked now. */
  session(): Promise<RunContext | undefined>;
  /** Sends everything that is due; resolves when nothing is left to do now. */
  push(): Promise<void>;
  /** Reads what the remote hinted at. */
  takeHints(): Promise<void>;
  /** Reads every type to its end. */
  pull(): Promise<Readonly<Record<string, PullResult>>>;
  /** Compares everything that is linked with everything that is there. @param isLost a person says that the server lost what is missing */
  sweep(isLost?: boolean): Promise<void>;
  /** Pulls when its time has come, sweeps at night, then pushes. */
  tick(now: Temporal.Instant): Promise<void>;
}

/** When a connection does not say when its sweep is. */
const NIGHTLY = '0 2 * * *';

/** Between looks at what a replaced server may have lost, where nothing is pulled; whether it was replaced is asked each hour. */
const LOOK_EVERY = 60_000;
const LEASE = Temporal.Duration.from({ seconds: 60 });

export function createConnection(context: ConnectionContext, workers: number): ConnectionRuns {
  const { connection, remote, log } = context;
  let { mode } = connection;
  const controls = { push: new AbortController(), pull: new AbortController() };
  const leaseName = pullLease(connection.name);
  const pullSchedule = connection.schedule?.pull;
  const pullJob =
    pullSchedule === undefined ? undefined : scheduledJob(context.store, connection, 'pull', pullSchedule);
  const sweepJob = scheduledJob(context.store, connection, 'sweep', connection.schedule?.sweep ?? NIGHTLY);
  let lastPull: LastPull | undefined;
  let hasToldElsewhere = false;
  /** Recipient and policy may be others than before this process, so what was withheld is asked about once more. */
  let hasReconsidered = false;
  /** The ways out, and the abilities of the server, that what had none was taken up for. */
  let takenUpFor: string | undefined;
  /** How far dry runs have looked at the log, so that they do not say the same again. */
  let rehearsedUpTo: number | undefined;
  let hasRehearsedPull = false;
  /** When it was last seen to that what was sent is there, where nothing is pulled. */
  let lookedAt = Number.NEGATIVE_INFINITY;

  /**
   * Everything a run needs, or undefined when the server may not be used now.
   * @param signal of the mode that the run began in
   */
  async function begin(direction: 'push' | 'pull', signal: AbortSignal): Promise<RunContext | undefined> {
    const runId = randomUUID();
    const exchanges = new ExchangeLog((exchange) => auditExchange(context, runId, exchange, undefined));
    const client = remote.session(exchanges.record);
    if (mode !== 'dry-run' && !(await isOwnServer())) return undefined;
    if (!(await remote.available(client))) {
      await keepProbes(exchanges, runId, direction);
      return undefined;
    }
    const capability = await askCapability(client, exchanges, runId, direction);
    return capability && { ...context, signal, runId, capability, client, exchanges, epoch: capability.epoch };
  }

  /** False when the links of the name lead to another server, which is told once per process. */
  async function isOwnServer(): Promise<boolean> {
    try {
      await keepToServer(context.store, connection, realNow(context));
      return true;
    } catch (error) {
      const { kind, message: detail } = asFault(error);
      if (kind !== 'conflict') throw error;
      if (!hasToldElsewhere) context.emit({ kind: 'address', connection: connection.name, detail });
      hasToldElsewhere = true;
      return false;
    }
  }

  /** Whether a server that was left alone answers again is an exchange, too. */
  async function keepProbes(exchanges: ExchangeLog, runId: string, direction: 'push' | 'pull'): Promise<void> {
    const about = {
      connection: connection.name,
      runId,
      direction,
      outcome: 'capability',
      keepResponse: false,
    } as const;
    const rows = exchanges.take().map((exchange) => writeMessage({ ...about, exchange }, realNow(context)));
    if (rows.length > 0) await context.store.commit(actorOf(connection, runId), [], rows);
  }

  async function askCapability(
    client: FhirClient,
    exchanges: ExchangeLog,
    runId: string,
    direction: 'push' | 'pull',
  ): Promise<Capability | undefined> {
    const capability = await remote.capability(client);
    const about = {
      connection: connection.name,
      runId,
      direction,
      outcome: 'capability',
      keepResponse: false,
    } as const;
    const rows = exchanges.take().map((exchange) => writeMessage({ ...about, exchange }, realNow(context)));
    if (!capability.ok) {
      const { class: outcome, message: detail } = capability.failure;
      rows.push(writeMessage({ ...about, outcome, detail }, realNow(context)));
    }
    if (rows.length > 0) await context.store.commit(actorOf(connection, runId), [], rows);
    if (capability.ok) return capability.value;
    log.warn(
      { connection: connection.name, class: capability.failure.class },
      'the abilities of the server are unknown',
    );
    return undefined;
  }

  /** One turn. @returns whether more is due */
  async function push(): Promise<boolean> {
    const doing = workOf(mode, 'push');
    const { signal } = controls.push;
    if (signal.aborted || doing === 'nothing') return false;
    // Marking needs no server: what happens here while it is away is not forgotten.
    if (doing === 'work') await feedOutbox({ ...context, signal });
    const run = await begin('push', signal);
    if (!run || signal.aborted) return false;
    if (doing === 'work') await noteCapability(run);
    if (doing === 'rehearse') {
      rehearsedUpTo = await dryRunPush(run, rehearsedUpTo);
      return false;
    }
    const left = await abandonedClaims(context.store, connection.name);
    const due = await withheldDue(context.store, connection.name, hasReconsidered ? realNow(context) : undefined);
    due.push(...(await projectionsDue(context)));
    if (left.length + due.length > 0) await context.store.commit(actorOf(connection), [], [...left, ...due]);
    hasReconsidered = true;
    await takeUp(run);
    if (mode === 'push') await lookForSent(run, false);
    const isMore = await drainOutbox(run, workers);
    if (mode === 'push') await followMerges(run);
    await keepProbes(run.exchanges, run.runId, 'push');
    return isMore && !signal.aborted;
  }

  /** Where nothing is pulled. @param isLost a person says that the server lost what is missing there */
  async function lookForSent(run: RunContext, isLost: boolean): Promise<void> {
    const now = realNow(context);
    if (!isLost && now < lookedAt + LOOK_EVERY) return;
    lookedAt = now;
    await withLease(context.store, context.clock, leaseName, LEASE, (lease) => sweepSent(run, lease, isLost));
  }

  /** What flows out, and what the server can do, may be something else than before. */
  async function takeUp(run: RunContext): Promise<void> {
    const ways = waysOut(run);
    const key = JSON.stringify([ways, run.capability.hash]);
    if (key === takenUpFor) return;
    await takeUpGivenUp(run, ways);
    if (!run.signal.aborted) takenUpFor = key;
  }

  /** @param isAsked by a person, who wants everything looked at now; otherwise what is due */
  async function pull(isAsked: boolean): Promise<Record<string, PullResult>> {
    const results: Record<string, PullResult> = {};
    const doing = workOf(mode, 'pull');
    const { signal } = controls.pull;
    if (signal.aborted || doing === 'nothing') return results;
    if (doing === 'work') await beginReading(context);
    const run = await begin('pull', signal);
    if (!run || signal.aborted) return results;
    const types = typesInOrder(connection);
    if (doing === 'rehearse') {
      for (const type of types) if (!signal.aborted) results[type] = await dryRunPull(run, type);
      hasRehearsedPull = !signal.aborted;
      return results;
    }
    // When another process pulls from the server, this one has nothing to do.
    await withLease(context.store, context.clock, leaseName, LEASE, async (lease) => {
      const begunAt = realNow(context);
      await context.store.commit(actorOf(connection, run.runId), [], [noteProgress(context), lease.fence]);
      const pulling = await preparePull(run, lease);
      if (!pulling) return;
      await takeInHeld(pulling);
      const loading = await firstLoad(pulling, types, lease);
      const streams = types.filter((type) => !loading.has(type));
      // What is due there does not wait for the end of a long load.
      Object.assign(results, await takeTurns(pulling, streams, lease, { asked: isAsked }, pushTurn));
      await sweepLeft(pulling, types, lease);
      await catchUp(pulling, types, lease);
      await followHints(pulling, types, lease, new Set(Object.keys(results)));
      await followMerges(pulling);
      await finishPull(pulling, lease);
      const read = Object.keys(results).filter((type) => results[type]?.outcome === 'done');
      const counted = countAsRead(context, read, begunAt);
      if (counted.length > 0) await context.store.commit(actorOf(connection, run.runId), [], [...counted, lease.fence]);
    });
    return results;
  }

  async function sweep(now: Temporal.Instant, isLost: boolean): Promise<void> {
    const direction = mode === 'push' ? 'push' : 'pull';
    const { signal } = controls[direction];
    if (signal.aborted || workOf(mode, direction) !== 'work') return;
    const run = await begin(direction, signal);
    if (!run || signal.aborted) return;
    if (direction === 'push') return lookForSent(run, isLost);
    await withLease(context.store, context.clock, leaseName, LEASE, async (lease) => {
      const pulling = await preparePull(run, lease);
      if (!pulling) return;
      await sweepTypes(pulling, typesInOrder(connection), lease, isLost);
      await sweepJob.done(now);
      await finishPull(pulling, lease);
    });
  }

  async function hinted(): Promise<void> {
    const { signal } = controls.pull;
    if (signal.aborted || workOf(mode, 'pull') !== 'work' || !(await hasHints(context))) return;
    const run = await begin('pull', signal);
    if (!run || signal.aborted) return;
    // During a pull there is nothing to do: it takes the hints when it has read the streams.
    await withLease(context.store, context.clock, leaseName, LEASE, async (lease) => {
      const reading = await preparePull(run, lease);
      if (!reading) return;
      const types = typesInOrder(connection);
      await takeHints(reading, types, lease);
      await sweepLeft(reading, types, lease);
      await finishPull(reading, lease);
    });
  }

  const pushTurn = oneWaiting(push);
  const pulling = oneAtATime((work: () => Promise<unknown>) => work());
  const pullInTurn = async (isAsked: boolean) => {
    let results: Awaited<ReturnType<typeof pull>> = {};
    await pulling(async () => {
      results = await pull(isAsked);
    });
    return results;
  };
  return {
    get connection() {
      return { ...connection, mode };
    },
    context,
    session: async () => (mode === 'off' ? undefined : begin('pull', controls.pull.signal)),
    setMode(next) {
      for (const direction of ['push', 'pull'] as const) {
        if (workOf(next, direction) === workOf(mode, direction)) continue;
        controls[direction].abort();
        controls[direction] = new AbortController();
      }
      if (mode !== next) hasRehearsedPull = false;
      mode = next;
    },
    halt() {
      controls.push.abort();
      controls.pull.abort();
    },
    async push() {
      while (await pushTurn()) {}
    },
    pull: () => pullInTurn(true),
    async sweep(isLost = false) {
      await pulling(() => sweep(context.clock.now(), isLost));
    },
    async takeHints() {
      await pulling(hinted);
    },
    async tick(now) {
      await read(now);
      // A backlog of hours keeps nothing from coming in.
      while (await pushTurn()) await read(context.clock.now());
    },
  };

  /** What is to come in by now. */
  async function read(now: Temporal.Instant): Promise<void> {
    if (await isPullDue(now)) {
      const results = await pullInTurn(false);
      // What could not run, because the server was away or another process was at it, stays due.
      lastPull = { at: now, hasRun: hasRun(results) };
      if (lastPull.hasRun) await pullJob?.done(now);
    }
    if (workOf(mode, 'pull') === 'work' && (await sweepJob.isDue(now))) await pulling(() => sweep(now, false));
    await pulling(hinted);
  }

  async function isPullDue(now: Temporal.Instant): Promise<boolean> {
    const doing = workOf(mode, 'pull');
    if (doing === 'nothing') return false;
    // A rehearsal reads everything and shows the same each time; another one is for who asks for it.
    if (doing === 'rehearse') return !hasRehearsedPull;
    await beginReading(context);
    return pullJob ? pullJob.isDue(now) : isPullTime(connection, lastPull, now);
  }
}

/** Whether another try would find nothing else than this one did. */
function hasRun(results: Readonly<Record<string, PullResult>>): boolean {
  const all = Object.values(results);
  return all.length > 0 && all.every((one) => one.outcome !== 'stopped' && one.failure?.class !== 'transient');
}

/** What a run in the direction does in the mode. docs/sync-spec.md#I20 */
function workOf(mode: Connection['mode'], direction: 'push' | 'pull'): 'work' | 'rehearse' | 'nothing' {
  if (mode === 'dry-run') return 'rehearse';
  return mode === 'both' || mode === direction ? 'work' : 'nothing';
}

/** Runs never overlap; one that is asked for during another begins when that has ended. */
function oneAtATime<A extends unknown[], T>(work: (...given: A) => Promise<T>): (...given: A) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (...given) => {
    const result = last.then(() => work(...given));
    last = result.catch(() => undefined);
    return result;
  };
}

/** The same, and who asks while one waits already gets that one: it sees all there is when it begins. */
function oneWaiting<T>(work: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting: Promise<T> | undefined;
  return () => {
    waiting ??= last.then(() => {
      waiting = undefined;
      const result = work();
      last = result.catch(() => undefined);
      return result;
    });
    return waiting;
  };
}
