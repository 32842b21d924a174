// Closed loop: every connection sends its next request when it has its last answer. What comes out is the throughput at
// full load; the latencies of a closed loop say nothing about what a client meets.
import { Connection, type Target } from './connection.ts';
import type { Session } from './session.ts';

export interface ClosedLoop {
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** Called when the measured part begins and when it ends. */
  readonly onBegin: () => void;
  readonly onEnd: () => void;
}

export interface Throughput {
  readonly answers: number;
  readonly seconds: number;
}

/** @throws Error when any answer is not what it should be */
export function driveClosed(
  target: Target,
  makeSession: (n: number) => Session,
  loop: ClosedLoop,
): Promise<Throughput> {
  return new Promise((resolve, reject) => {
    const connections = Array.from({ length: loop.connections }, () => new Connection(target));
    let answers = 0;
    let underWay = 0;
    let began = 0;
    let phase: 'warming up' | 'measuring' | 'over' = 'warming up';

    const fail = (error: Error) => {
      phase = 'over';
      for (const connection of connections) connection.close();
      reject(error);
    };
    const end = () => {
      if (phase === 'over') return;
      phase = 'over';
      const seconds = (performance.now() - began) / 1000;
      loop.onEnd();
      finish({ answers, seconds });
    };
    const begin = () => {
      if (phase === 'over') return;
      phase = 'measuring';
      began = performance.now();
      loop.onBegin();
      setTimeout(end, loop.measuredMs);
    };
    let result: Throughput | undefined;
    // What is under way when the time is over is let finish, so that the next run starts on an idle server.
    const finish = (measured?: Throughput) => {
      result = measured ?? result;
      if (!result || underWay > 0) return;
      for (const connection of connections) connection.close();
      resolve(result);
    };
    for (const [n, connection] of connections.entries()) {
      const session = makeSession(n);
      const send = (request: ReturnType<Session['next']>['value']) => {
        underWay += 1;
        connection.send(
          request,
          (answer) => {
            underWay -= 1;
            if (phase === 'measuring') answers += 1;
            try {
              const { value } = session.next(answer);
              if (phase === 'over') finish();
              else send(value);
            } catch (error) {
              fail(error as Error);
            }
          },
          fail,
        );
      };
      send((session as Generator<never, never>).next().value);
    }
    setTimeout(begin, loop.warmUpMs);
  });
}
