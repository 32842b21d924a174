// One connection at work: when it may run, and one run at a time in each direction.
import { randomUUID } from 'node:crypto';
import type { Capability } from '../remote/capability.ts';
import type { FhirClient } from '../remote/fhir-client.ts';
import { withLease } from '../store/lease.ts';
import { auditExchange } from './audit-exchange.ts';
import { firstLoad } from './bulk/first-load.ts';
import { type ConnectionContext, type RunContext, realNow } from './context.ts';
import { dryRunPull, dryRunPush } from './dry-run.ts';
import { feedOutbox } from './feed.ts';
import { followHints, hasHints, takeHints } from './hints/take-hints.ts';
import { ExchangeLog, writeMessage } from './message-log.ts';
import { abandonedClaims } from './outbox.ts';
import { type PullResult, pullType } from './pull.ts';
import { drainOutbox } from './push.ts';
import { repoint } from './repoint.ts';
import { actorOf, type Connection, pulls } from './settings.ts';
import { withheldDue } from './withheld-rows.ts';

export interface ConnectionRuns {
  readonly connection: Connection;
  /** Sends everything that is due; resolves when nothing is left to do now. */
  push(): Promise<void>;
  /** Reads what the remote hinted at. */
  takeHints(): Promise<void>;
  /** Reads every type to its end. */
  pull(): Promise<Readonly<Record<string, PullResult>>>;
  /** Pulls when its time has come, then pushes. */
  tick(now: Temporal.Instant): Promise<void>;
}

const LEASE = Temporal.Duration.from({ seconds: 60 });

/** Before the rest, because the scope of the others depends on who is known. */
const FIRST = ['Organization', 'Practitioner', 'PractitionerRole', 'Patient'];

export function createConnection(context: ConnectionContext, workers: number): ConnectionRuns {
  const { connection, remote, log, signal } = context;
  const { mode } = connection;
  let pulledAt: Temporal.Instant | undefined;
  /** Recipient and policy may be others than before this process, so what was withheld is asked about once more. */
  let hasReconsidered = false;

  /** Everything a run needs, or undefined when the server may not be used now. */
  async function begin(direction: 'push' | 'pull'): Promise<RunContext | undefined> {
    const runId = randomUUID();
    const exchanges = new ExchangeLog((exchange) => auditExchange(context, runId, exchange, undefined));
    const client = remote.session(exchanges.record);
    if (!(await remote.available(client))) return undefined;
    const capability = await askCapability(client, exchanges, runId, direction);
    return capability && { ...context, runId, capability, client, exchanges };
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

  async function push(): Promise<void> {
    if (mode === 'off' || mode === 'pull') return;
    // Marking needs no server: what happens here while it is away is not forgotten.
    if (mode !== 'dry-run') await feedOutbox(context);
    const run = await begin('push');
    if (!run) return;
    if (mode === 'dry-run') {
      await dryRunPush(run);
      return;
    }
    const left = await abandonedClaims(context.store, connection.name);
    const due = await withheldDue(context.store, connection.name, hasReconsidered ? realNow(context) : undefined);
    if (left.length + due.length > 0) await context.store.commit(actorOf(connection), [], [...left, ...due]);
    hasReconsidered = true;
    await drainOutbox(run, workers);
  }

  async function pull(): Promise<Record<string, PullResult>> {
    const results: Record<string, PullResult> = {};
    if (mode === 'off' || mode === 'push') return results;
    const run = await begin('pull');
    if (!run) return results;
    const types = typesInOrder(connection);
    if (mode === 'dry-run') {
      for (const type of types) await dryRunPull(run, type);
      return results;
    }
    // When another process pulls from the server, this one has nothing to do.
    await withLease(context.store, context.clock, `pull:${connection.name}`, LEASE, async (lease) => {
      const loading = await firstLoad(run, types, lease);
      for (const type of types) {
        if (!signal.aborted && !loading.has(type)) results[type] = await pullType(run, type, lease);
      }
      await followHints(run, types, lease, new Set(Object.keys(results)));
      await repoint(run);
    });
    return results;
  }

  async function hinted(): Promise<void> {
    if ((mode !== 'pull' && mode !== 'both') || !(await hasHints(context))) return;
    const run = await begin('pull');
    if (!run) return;
    // During a pull there is nothing to do: it takes the hints when it has read the streams.
    await withLease(context.store, context.clock, `pull:${connection.name}`, LEASE, async (lease) => {
      await takeHints(run, typesInOrder(connection), lease);
      await repoint(run);
    });
  }

  const pushing = oneAtATime(push);
  const pulling = oneAtATime(pull);
  const hinting = oneAtATime(hinted);
  return {
    connection,
    push: pushing,
    pull: pulling,
    takeHints: hinting,
    async tick(now) {
      const due = pulledAt?.add({ seconds: connection.pullEverySeconds });
      if (!due || Temporal.Instant.compare(now, due) >= 0) {
        pulledAt = now;
        await pulling();
      }
      await hinting();
      await pushing();
    },
  };
}

function typesInOrder(connection: Connection): string[] {
  const rank = (type: string) => (FIRST.includes(type) ? FIRST.indexOf(type) : FIRST.length);
  return Object.keys(connection.types)
    .filter((type) => pulls(connection, type))
    .sort((a, b) => rank(a) - rank(b));
}

/** Runs never overlap; one that is asked for during another begins when that has ended. */
function oneAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}
