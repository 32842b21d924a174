// Open loop: requests are due at a constant rate whether or not the server keeps up, and each latency counts from when
// the request was due. A server that stalls is charged for everybody who would have come meanwhile, which a closed loop
// leaves out ("coordinated omission").
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { Connection, type Target } from './connection.ts';
import type { Session } from './session.ts';

export interface OpenLoop {
  readonly perSecond: number;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

export interface Latencies {
  /** In milliseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly answers: number;
}

interface Lane {
  readonly connection: Connection;
  readonly session: Session;
  started: boolean;
  next: ReturnType<Session['next']>['value'] | undefined;
}

/** Waits shorter than this are slept in place: timers come up to a millisecond late. */
const NAP_BELOW_MS = 2;
const NAP_MS = 0.2;
const DRAIN_MS = 30_000;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** @throws Error when any answer is not what it should be, or when some are missing half a minute after the end */
export async function driveOpen(
  target: Target,
  makeSession: (n: number) => Session,
  loop: OpenLoop,
): Promise<Latencies> {
  const histogram = createHistogram();
  const lanes = Array.from({ length: loop.connections }, (_, n) => laneOf(target, makeSession(n)));
  const idle = [...lanes];
  /** When the requests that wait for a connection were due. */
  const waiting: number[] = [];
  let failure: Error | undefined;
  let underWay = 0;
  let measuredFrom = 0;

  const send = (lane: Lane, due: number) => {
    underWay += 1;
    const answered = () => {
      underWay -= 1;
      if (due >= measuredFrom) record(histogram, performance.now() - due);
      const longest = waiting.shift();
      if (longest === undefined) idle.push(lane);
      else send(lane, longest);
    };
    sendNext(lane, answered, (error) => {
      failure ??= error;
    });
  };

  const begin = performance.now();
  const end = begin + loop.warmUpMs + loop.measuredMs;
  measuredFrom = begin + loop.warmUpMs;
  const gap = 1000 / loop.perSecond;
  for (let due = begin; due < end && !failure; due += gap) {
    for (let early = due - performance.now(); early > 0 && !failure; early = due - performance.now()) {
      if (early >= NAP_BELOW_MS) await pause(Math.floor(early - 1));
      else if (early > NAP_MS) {
        Atomics.wait(sleeper, 0, 0, NAP_MS);
        await nextTurn();
      } else await nextTurn();
    }
    const lane = idle.pop();
    if (lane) send(lane, due);
    else waiting.push(due);
  }
  const giveUp = performance.now() + DRAIN_MS;
  while (underWay > 0 && !failure && performance.now() < giveUp) await pause(1);
  for (const { connection } of lanes) connection.close();
  if (failure) throw failure;
  if (underWay > 0)
    throw new Error(`${underWay + waiting.length} requests had no answer ${DRAIN_MS / 1000} s after the end.`);
  return latenciesOf(histogram);
}

function laneOf(target: Target, session: Session): Lane {
  return { connection: new Connection(target), session, started: false, next: undefined };
}

function sendNext(lane: Lane, answered: () => void, failed: (error: Error) => void): void {
  if (!lane.started) {
    lane.started = true;
    lane.next = (lane.session as Generator<never, never>).next().value;
  }
  if (!lane.next) return;
  lane.connection.send(
    lane.next,
    (answer) => {
      try {
        lane.next = lane.session.next(answer).value;
      } catch (error) {
        failed(error as Error);
        return;
      }
      answered();
    },
    failed,
  );
}

/** In microseconds. */
function record(histogram: RecordableHistogram, milliseconds: number): void {
  histogram.record(Math.max(1, Math.round(milliseconds * 1000)));
}

function latenciesOf(histogram: RecordableHistogram): Latencies {
  const at = (percent: number) => histogram.percentile(percent) / 1000;
  return { p50: at(50), p95: at(95), p99: at(99), max: histogram.max / 1000, answers: histogram.count };
}
