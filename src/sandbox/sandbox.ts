// The sandbox put together: a simulated EHR, a clock that can be moved, a scripted day and its story.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { JWK } from 'jose';
import type { Logger } from 'pino';
import type { AuthorizationServer } from '../access/oauth/authorization-server.ts';
import { asFault } from '../fault.ts';
import type { Store } from '../store/store.ts';
import { createClockMover } from './clock-mover.ts';
import { mountClockRoutes } from './clock-routes.ts';
import { DAY, runDay } from './day.ts';
import { createDayActs } from './day-acts.ts';
import { openDayProgress } from './day-progress.ts';
import { openDemoSignIn } from './demo-sign-in.ts';
import { mountSandboxEhr } from './ehr/mount.ts';
import { createEhrDoor } from './nurse.ts';
import { settleWhatIsDue } from './quiet.ts';
import type { SandboxClock } from './sandbox-clock.ts';
import { SANDBOX_CLIENT_ID, SANDBOX_FACILITY } from './sandbox-config.ts';
import { createStory } from './story/story.ts';

export interface SandboxOptions {
  /** Baton's Fastify, not yet listening; routes are added under `/sandbox`, in a scope of their own. */
  readonly app: FastifyInstance;
  readonly store: Store;
  /** Gets somebody to sign in as, and applications to sign in to. */
  readonly authorization: AuthorizationServer;
  /** The clock that the rest of Baton was given too. */
  readonly clock: SandboxClock;
  /** Folder for the EHR's journal and the day's progress; undefined (database in memory) keeps nothing. */
  readonly dataDir: string | undefined;
  /** Baton's base URL without trailing slash; first called after listening. */
  readonly baseUrl: () => string;
  /** Where Baton listens for MLLP; undefined when it does not, and then there is no day. First called after listening. */
  readonly mllp: () => { readonly host: string; readonly port: number } | undefined;
  /** Runs consumers, sweep, push and pull until nothing is left to do. */
  readonly settle: () => Promise<void>;
  /** True for a bearer token that Baton accepts; called with undefined when none was sent. */
  readonly verify: (token: string | undefined) => Promise<boolean>;
  /** A short-lived token for the person at the terminal. */
  readonly issueToken: () => Promise<string>;
  /** Baton's public keys, which the EHR knows its client `baton` by. */
  readonly jwks: { readonly keys: readonly JWK[] };
  readonly log: Logger;
  /** Standard output. */
  readonly write: (text: string) => void;
}

export interface Sandbox {
  /** After listening: runs what is left of the day and tells it; resolves when the story's last line is written. */
  runDay(): Promise<void>;
  /** Ends the day after the step in progress. Call it before the rest of Baton stops. */
  stop(): Promise<void>;
  /** Saves the clock and closes the EHR's journal. Call it when nothing serves requests any more. */
  close(): Promise<void>;
}

const RETRY_MS = 3_000;

export async function mountSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { app, store, clock, dataDir, baseUrl, verify, log } = options;
  const stopping = new AbortController();
  const progress = openDayProgress(dataDir);
  const demo = await openDemoSignIn(options.authorization, store, dataDir);
  const story = createStory({
    ...options,
    signIn: demo.lines,
    progress,
    zone: SANDBOX_FACILITY.zone,
    facility: SANDBOX_FACILITY.name,
  });
  const mover = createClockMover(clock, async () => {
    await settleWhatIsDue(store, clock, options.settle, stopping.signal);
    await story.catchUp();
  });
  await mountClockRoutes(app, mover);
  const ehr = await mountSandboxEhr(app, {
    name: 'hapi',
    baseUrl,
    journalPath: dataDir === undefined ? undefined : join(dataDir, 'sandbox-ehr-hapi.ndjson'),
    clock,
    client: { clientId: SANDBOX_CLIENT_ID, jwks: options.jwks },
    verify,
  });
  let day: Promise<void> = Promise.resolve();

  const callEhr = createEhrDoor(
    () => ehr.fhirBase(),
    () => ehr.staffToken(),
  );
  const acts = createDayActs({ store, clock, story, callEhr, mllp: options.mllp, ehrBase: () => ehr.fhirBase() });

  const run = async () => {
    let waitingIn = '';
    story.begin();
    await runDay(
      {
        progress,
        mover,
        acts,
        signal: stopping.signal,
        async onFailure(step, error) {
          const fault = asFault(error);
          log[fault.kind === 'fault' ? 'error' : 'info']({ step, kind: fault.kind, err: fault.cause }, fault.message);
          if (step !== waitingIn) story.wait(fault.message);
          waitingIn = step;
          await sleep(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => {});
        },
      },
      options.mllp() ? DAY : [],
    );
  };

  return {
    runDay() {
      day = run();
      return day;
    },
    async stop() {
      stopping.abort();
      await day.catch(() => {});
    },
    async close() {
      await ehr.close();
      clock.stop();
    },
  };
}
