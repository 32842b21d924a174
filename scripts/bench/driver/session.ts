// What one user of a workload does: a generator that asks and is given the answer, so that a step may need what the step
// before it brought. Each connection runs one session; whether an answer is right is the session's to check.
import type { Population } from '../population/population.ts';
import type { Answer, Request } from './connection.ts';

export type Session = Generator<Request, never, Answer>;

/** What a workload's sessions know. */
export interface World {
  readonly population: Population;
  /** Different for every run, so that what one run creates is new in the next. */
  readonly run: number;
}

/** Sends one request and resolves to its answer, whatever its status. */
export type Ask = (request: Request) => Promise<Answer>;

export interface Script {
  /** Before anything is measured; what it resolves to is given to every session. An empty list: nothing to measure. */
  prepare?(ask: Ask, world: World): Promise<readonly string[]>;
  /** @param number of the session, from 0; one session's requests do not depend on another's */
  session(world: World, number: number, prepared: readonly string[]): Session;
}
