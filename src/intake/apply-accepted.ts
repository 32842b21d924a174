// Applies what was accepted, in the order of acceptance: from the database, a few at a time, by one process of all that share it.
// Each message's outcome is in the commit of what it caused, so a process may end anywhere and another goes on.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { asFault } from '../fault.ts';
import { withLease } from '../store/lease.ts';
import type { Store } from '../store/store.ts';
import { type Accepted, nextAccepted } from './accepted.ts';
import type { Awaited } from './awaited.ts';
import type { GiveWay } from './give-way.ts';

export interface ApplyingOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * Settles one.
   * @param held patients of whom one that came before stays accepted, for those that are applied side by side
   * @throws Fault for a reason that passes: it stays accepted
   */
  readonly apply: (accepted: Accepted, held: Set<string>) => Promise<void>;
  readonly awaited: Pick<Awaited, 'look'>;
  readonly giveWay: Pick<GiveWay, 'rest' | 'isQuiet'>;
}

export interface Applying {
  /** From now on what is accepted is applied, first what an earlier process has left. */
  start(): void;
  /** Something was accepted. */
  wake(): void;
  /** Resolves when what is being applied is on disk; the rest stays accepted. */
  stop(): Promise<void>;
}

const LEASE = Temporal.Duration.from({ seconds: 30 });
/** Applied side by side, those of one patient one after the other. */
const TOGETHER = 8;
/** The same while messages come to be accepted: what is applied together holds them up together. */
const FEW = 2;
/** With nothing left, who holds the lease looks this often for what others accept, so many times. */
const LOOK_MS = 250;
const LOOKS = 8;
/** After a failure that passes, and while another process applies. */
const PAUSE_MS = 500;

export function createApplying(options: ApplyingOptions): Applying {
  const { store, clock, log, apply, awaited, giveWay } = options;
  let isOn = false;
  let running: Promise<void> | undefined;
  let isWoken = false;
  let interrupt = () => {};

  /** Until the time is over, something is accepted, or Baton ends. */
  const rest = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  /** @returns false when some could not be settled now */
  const applySome = async (some: readonly Accepted[]): Promise<boolean> => {
    const held = new Set<string>();
    const done = await Promise.allSettled(some.map((one) => apply(one, held)));
    const failed = done.find((one) => one.status === 'rejected');
    if (failed)
      log.warn({ kind: asFault(failed.reason).kind }, 'accepted HL7 messages could not be applied; tried again');
    return failed === undefined;
  };

  const drain = async (signal: AbortSignal) => {
    for (let looks = 0; isOn && !signal.aborted && looks < LOOKS; ) {
      isWoken = false;
      const began = performance.now();
      const some = await nextAccepted(store, giveWay.isQuiet ? TOGETHER : FEW);
      if (some.length === 0) {
        looks += 1;
        if (!isWoken) await rest(LOOK_MS);
        continue;
      }
      looks = 0;
      if (await applySome(some)) await giveWay.rest(performance.now() - began);
      else await rest(PAUSE_MS);
    }
  };

  const run = async () => {
    while (isOn) {
      const { held } = await withLease(store, clock, 'intake:apply', LEASE, ({ signal }) => drain(signal));
      const isDone = (await nextAccepted(store, 1)).length === 0;
      // After that: what another process applies in between is told, too.
      await awaited.look();
      if (isDone && !isWoken) return;
      // Another process applies, or this one could not keep the lease.
      if (!held) await rest(PAUSE_MS);
    }
  };

  const wake = () => {
    isWoken = true;
    interrupt();
    if (!isOn || running) return;
    running = run()
      .catch((error) => {
        isWoken = false;
        log.error({ err: error }, 'applying accepted HL7 messages stopped; the heartbeat tries again');
      })
      .finally(() => {
        running = undefined;
        // Something was accepted after the last look.
        if (isWoken) wake();
      });
  };

  return {
    start() {
      isOn = true;
      wake();
    },
    wake,
    async stop() {
      isOn = false;
      interrupt();
      await running;
    },
  };
}
