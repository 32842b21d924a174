// Faults a person can switch on at the simulated EHR, to see what Baton makes of them.
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { Fault } from '../../fault.ts';

export interface Knobs {
  /** Added to every answer. */
  latencyMs: number;
  /** The next `count` requests fail with `status`, and nothing is written. */
  failNext: { count: number; status: number };
  /** The next this many requests are carried out, and then the connection is cut instead of an answer. */
  dropNext: number;
  /** While set, every request is turned away; null when off. `retryAfter` in seconds. */
  throttle: { status: number; retryAfter: number } | null;
}

export const quietKnobs = (): Knobs => ({
  latencyMs: 0,
  failNext: { count: 0, status: 503 },
  dropNext: 0,
  throttle: null,
});

/** Sets the knobs that `body` names and leaves the others. @throws Fault invalid */
export function turnKnobs(knobs: Knobs, body: unknown): void {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Fault('invalid', 'Send a JSON object with latencyMs, failNext, dropNext or throttle.');
  }
  const next: Knobs = { ...quietKnobs(), ...knobs };
  for (const [name, value] of Object.entries(body)) {
    if (name === 'latencyMs') next.latencyMs = whole(name, value, 0, 60_000);
    else if (name === 'dropNext') next.dropNext = whole(name, value, 0, 1_000_000);
    else if (name === 'failNext') next.failNext = failure(value);
    else if (name === 'throttle') next.throttle = value === null ? null : throttle(value);
    else
      throw new Fault('invalid', `There is no knob "${name}"; there are latencyMs, failNext, dropNext and throttle.`);
  }
  Object.assign(knobs, next);
}

export type KnobVerdict = { readonly status: number; readonly retryAfter?: number } | undefined;

/** Waits as long as the latency knob says; a verdict means: answer with this instead of working. */
export async function applyKnobs(knobs: Knobs): Promise<KnobVerdict> {
  if (knobs.latencyMs > 0) await sleep(knobs.latencyMs);
  if (knobs.throttle) return knobs.throttle;
  if (knobs.failNext.count <= 0) return undefined;
  knobs.failNext = { ...knobs.failNext, count: knobs.failNext.count - 1 };
  return { status: knobs.failNext.status };
}

/** Cuts the connection when the drop knob says so; true means that there is nobody left to answer. */
export function dropsAnswer(knobs: Knobs, reply: FastifyReply): boolean {
  if (knobs.dropNext <= 0) return false;
  knobs.dropNext -= 1;
  reply.hijack();
  reply.raw.destroy();
  return true;
}

const fields = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

function failure(value: unknown): Knobs['failNext'] {
  const { count, status = 503 } = fields(value);
  return { count: whole('failNext.count', count, 0, 1_000_000), status: whole('failNext.status', status, 400, 599) };
}

function throttle(value: unknown): Knobs['throttle'] {
  const { status = 429, retryAfter = 1 } = fields(value);
  return {
    status: whole('throttle.status', status, 400, 599),
    retryAfter: whole('throttle.retryAfter', retryAfter, 0, 86_400),
  };
}

function whole(name: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Fault('invalid', `${name} must be a whole number from ${least} to ${most}.`, { expression: name });
}
