// What every request to a simulated server passes on its way in and out: latency, throttling, mishaps, and a body that may
// come slowly.
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { Clock } from '../../../clock.ts';
import { httpDate } from '../../../fhir/http-date.ts';
import type { Answer, Ehr } from './ehr.ts';
import type { Mishap } from './knobs.ts';
import { createMeter, type Door, mishapFor, retryAfter } from './mishaps.ts';
import { outcome, Refusal, refusalBody, rowOf } from './refusal.ts';

type Work = () => Promise<FastifyReply | Answer> | Answer;

export interface Doors {
  send(reply: FastifyReply, answer: Answer): FastifyReply;
  refused(refusal: Refusal): Answer;
  /** An answer with an OperationOutcome that no vendor has words of its own for. */
  said(status: number, text: string): Answer;
  /** Does the work, unless something befalls the request. @param type resource type, empty for none */
  through(reply: FastifyReply, door: Door, type: string, work: Work): Promise<FastifyReply>;
}

const FHIR_JSON = 'application/fhir+json; charset=utf-8';
const MAINTENANCE = '<!doctype html><html><body><h1>Scheduled maintenance</h1></body></html>';
const ISSUES: Readonly<Record<number, string>> = {
  404: 'not-found',
  409: 'conflict',
  412: 'conflict',
  422: 'business-rule',
  423: 'lock-error',
  424: 'processing',
  429: 'throttled',
  500: 'exception',
};

/** @param clock what the Date header says */
export function createDoors(ehr: Ehr, clock: Clock): Doors {
  const { knobs, rules } = ehr;
  const meter = createMeter();
  const date = () => ({ date: httpDate(clock.now()) });

  const send = (reply: FastifyReply, { status, headers, body }: Answer): FastifyReply => {
    reply.code(status).headers({ ...date(), ...headers });
    if (body !== '') reply.type(FHIR_JSON);
    return reply.send(knobs.slowBody > 0 && body !== '' ? Readable.from(slowly(body, knobs.slowBody)) : body);
  };

  const refused = (refusal: Refusal): Answer => {
    const { status } = rowOf(rules, refusal.reason);
    const headers: Record<string, string> = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
    if (refusal.location !== undefined) headers.location = refusal.location;
    return { status, headers, body: JSON.stringify(refusalBody(rules, refusal)) };
  };

  const said = (status: number, text: string, headers: Record<string, string> = {}): Answer => ({
    status,
    headers,
    body: JSON.stringify(outcome(rules, 'error', ISSUES[status] ?? 'transient', undefined, text)),
  });

  const befall = (mishap: Mishap, reply: FastifyReply): FastifyReply => {
    if (mishap.do === 'status') {
      return send(reply, said(mishap.status ?? 503, 'Simulated by a knob.', retryAfter(mishap, ehr.now())));
    }
    if (mishap.do === 'html') return reply.code(200).headers(date()).type('text/html').send(MAINTENANCE);
    reply.hijack();
    if (mishap.do === 'drop') reply.raw.destroy();
    return reply;
  };

  const attempt = async (work: Work): Promise<FastifyReply | Answer> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Refusal) return refused(error);
      throw error;
    }
  };

  return {
    send,
    refused,
    said,
    async through(reply, door, type, work) {
      if (knobs.latency > 0) await sleep(knobs.latency);
      if (!meter.admit(ehr.now(), knobs.requestsPerSecond)) {
        return send(reply, said(429, 'Too many requests.', { 'retry-after': '1' }));
      }
      const mishap = knobs.mishaps.length > 0 ? mishapFor(knobs, ehr.chance, door, type) : undefined;
      if (mishap && mishap.effect !== 'after') return befall(mishap, reply);
      const answer = await attempt(work);
      if (mishap) return befall(mishap, reply);
      return 'body' in answer ? send(reply, answer) : answer;
    },
  };
}

const PARTS = 10;

async function* slowly(body: string, milliseconds: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(body);
  const size = Math.ceil(bytes.length / PARTS);
  for (let start = 0; start < bytes.length; start += size) {
    if (start > 0) await sleep(milliseconds / PARTS);
    yield bytes.subarray(start, start + size);
  }
}
