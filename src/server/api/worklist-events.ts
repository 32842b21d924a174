// GET /api/v1/worklist/events: what changes on worklists, as it changes, as server-sent events. Each says that a Task has a
// new version, nothing about the patient; only Tasks that the reader may read now. A stream begins again where it broke off:
// the id of an event is its place in the log. https://html.spec.whatwg.org/multipage/server-sent-events.html
import sse from '@fastify/sse';
import type { Task } from '@medplum/fhirtypes';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../../access/access.ts';
import { decide } from '../../access/decide.ts';
import { followUpKey } from '../../care/transition/follow-up.ts';
import { asFault, Fault } from '../../fault.ts';
import type { LogEntry } from '../../store/store.ts';
import type { FhirContext } from '../fhir/context.ts';
import { grantOf } from '../grant-of.ts';
import { setPatientsShown } from '../patients-shown.ts';
import { urlCheck } from './check-input.ts';
import { grantedRecords } from './granted-records.ts';

export interface EventParts {
  readonly context: FhirContext;
  readonly access: Pick<Access, 'authenticate'>;
}

const HEARTBEAT_MS = 15_000;
/** Then the client connects again by itself: a new token is asked for, and the trail says what was shown. */
const LONGEST_MS = 15 * 60_000;
const MOST_STREAMS = 500;
/** Of one reader, so that nobody takes them all. */
const MOST_OF_ONE = 20;
/** Entries of the log that are looked through for one who was away; beyond that it is to load its worklist anew. */
const MOST_REPLAYED = 20_000;
const PAGE = 500;

const checkQuery = urlCheck({
  type: 'object',
  additionalProperties: false,
  properties: { owner: { type: 'string', pattern: '^[A-Za-z]+/[A-Za-z0-9.-]{1,64}$' } },
});

export async function serveWorklistEvents(server: FastifyInstance, parts: EventParts): Promise<void> {
  const streams = new Set<Stream>();
  await server.register(sse.default, { heartbeatInterval: HEARTBEAT_MS });
  server.addHook('preClose', async () => {
    for (const stream of streams) stream.end();
  });
  const config = { interaction: 'worklist-events', action: 'R', type: 'Task' } as const;
  server.get('/worklist/events', { sse: 'only', config }, async (request, reply) => {
    checkQuery(request.query);
    decide(await parts.access.authenticate(request.headers.authorization, request.raw.socket), 'read', 'Task');
    const reader = grantOf(request).actor.reference;
    const own = [...streams].filter((stream) => stream.reader === reader).length;
    if (streams.size >= MOST_STREAMS || own >= MOST_OF_ONE)
      throw new Fault('unavailable', 'Too many streams are open; try again later.');
    const stream = openStream(parts, request, reply);
    streams.add(stream);
    await stream.run().finally(() => streams.delete(stream));
  });
}

interface Stream {
  /** Reference of who reads. */
  readonly reader: string;
  /** Resolves when it has ended. */
  run(): Promise<void>;
  end(): void;
}

function openStream({ context, access }: EventParts, request: FastifyRequest, reply: FastifyReply): Stream {
  const { store } = context;
  const { owner } = request.query as { owner?: string };
  const patients = new Set<string>();
  const over = Promise.withResolvers<void>();
  let isOver = false;
  let wake: () => void = () => undefined;
  const end = () => {
    isOver = true;
    over.resolve();
    wake();
  };

  async function send(entry: LogEntry): Promise<void> {
    const grant = await access.authenticate(request.headers.authorization, request.raw.socket);
    const records = grantedRecords(context, grant);
    const task = await records.read('Task', entry.id);
    if (!task || (owner !== undefined && task.owner?.reference !== owner)) return;
    for (const patient of records.patients) patients.add(patient);
    setPatientsShown(request, [...patients]);
    // A client that does not read is waited for no longer than the stream lasts.
    await Promise.race([
      reply.sse.send({ id: String(entry.sequence), event: 'task', data: changeOf(task) }),
      over.promise,
    ]);
  }

  /** Sends what came after a place in the log; the newest version of each Task only. Returns the place it ended at. */
  async function follow(after: number): Promise<number> {
    let place = after;
    for (;;) {
      const entries = await store.readLog(place, PAGE);
      const newest = new Map(entries.filter(({ type }) => type === 'Task').map((entry) => [entry.id, entry]));
      for (const entry of newest.values()) {
        if (isOver) return place;
        if (entry.operation !== 'delete') await send(entry);
      }
      place = entries.at(-1)?.sequence ?? place;
      if (entries.length < PAGE) return place;
    }
  }

  async function run(): Promise<void> {
    const stop = store.onCommit(() => wake());
    const limit = setTimeout(end, LONGEST_MS);
    reply.sse.onClose(end);
    reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
    try {
      const head = await store.head();
      const last = Number(reply.sse.lastEventId ?? Number.NaN);
      const isKnown = Number.isSafeInteger(last) && last <= head && last >= head - MOST_REPLAYED;
      let place = isKnown ? last : head;
      // Tells that the stream is open, and where it begins; `reset` that something may have been missed before.
      const isNew = reply.sse.lastEventId === null;
      if (!isKnown) await reply.sse.send({ id: String(head), event: isNew ? 'ready' : 'reset', data: {} });
      else reply.sse.sendHeaders();
      while (!isOver) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        const before = place;
        place = await follow(place);
        const pause = setTimeout(wake, HEARTBEAT_MS);
        if (place === before && !isOver) await promise;
        clearTimeout(pause);
      }
    } catch (error) {
      // The token has expired, or the client has gone.
      request.log.info({ kind: asFault(error).kind }, 'a stream of the worklist ended');
    } finally {
      stop();
      clearTimeout(limit);
      if (reply.raw.writableNeedDrain) reply.raw.destroy();
      else reply.sse.close();
    }
  }

  return { reader: grantOf(request).actor.reference, run, end };
}

function changeOf(task: Task) {
  const key = followUpKey(task);
  return {
    task: `Task/${task.id}`,
    version: task.meta?.versionId,
    status: task.status,
    stage: task.businessStatus?.coding?.[0]?.code,
    priority: task.priority,
    due: task.restriction?.period?.end,
    ...(key ? { step: key.step } : {}),
  };
}
