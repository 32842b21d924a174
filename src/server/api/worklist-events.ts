// GET /api/v1/worklist/events: what changes on worklists, as it changes, as server-sent events. Each says that a Task has a
// new version, nothing about the patient; only Tasks that the reader may read now. A stream begins again where it broke off:
// the id of an event is its place in the log. https://html.spec.whatwg.org/multipage/server-sent-events.html
import sse from '@fastify/sse';
import type { Task } from '@medplum/fhirtypes';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
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
import { createLogTail, type LogTail, PAGE } from './log-tail.ts';
import type { StreamRoute } from './route.ts';

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

export const WORKLIST_EVENTS: StreamRoute = {
  isStream: true,
  method: 'GET',
  path: '/worklist/events',
  name: 'worklist-events',
  summary: 'What changes on worklists, as it changes (server-sent events)',
  description:
    '`task` for each Task that has a new version and that the token may read: nothing about the patient. `ready` when the ' +
    'stream begins. A comment every 15 seconds; after 15 minutes it ends. Connect again with `Last-Event-ID` to miss nothing; ' +
    '`reset` says that too much has happened since, so load the worklist anew.',
  tag: 'Worklist',
  reads: ['Task'],
  query: Type.Object(
    {
      owner: Type.Optional(
        Type.String({
          pattern: '^[A-Za-z]+/[A-Za-z0-9.-]{1,64}$',
          description: 'Only Tasks of theirs: `Practitioner/12`',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  answer: Type.String({ description: '`data` is JSON: task, version, status, stage, priority, due, step' }),
  examples: {
    answer: 'id: 4711\nevent: task\ndata: {"task":"Task/9","version":"2","status":"requested","stage":"due"}\n\n',
  },
};

const checkQuery = urlCheck(WORKLIST_EVENTS.query ?? {});

export async function serveWorklistEvents(server: FastifyInstance, parts: EventParts): Promise<void> {
  const streams = new Set<Stream>();
  const tail = createLogTail(parts.context.store);
  await server.register(sse.default, { heartbeatInterval: HEARTBEAT_MS });
  server.addHook('preClose', async () => {
    tail.close();
    for (const stream of streams) stream.end();
  });
  const { path, name } = WORKLIST_EVENTS;
  server.get(
    path,
    { sse: 'only', config: { interaction: name, action: 'R', type: 'Task' } },
    async (request, reply) => {
      checkQuery(request.query);
      decide(await parts.access.authenticate(request.headers.authorization, request.raw.socket), 'read', 'Task');
      const reader = grantOf(request).actor.reference;
      const own = [...streams].filter((stream) => stream.reader === reader).length;
      if (streams.size >= MOST_STREAMS || own >= MOST_OF_ONE)
        throw new Fault('unavailable', 'Too many streams are open; try again later.');
      const stream = openStream(parts, tail, request, reply);
      streams.add(stream);
      await stream.run().finally(() => streams.delete(stream));
    },
  );
}

interface Stream {
  /** Reference of who reads. */
  readonly reader: string;
  /** Resolves when it has ended. */
  run(): Promise<void>;
  end(): void;
}

function openStream(
  { context, access }: EventParts,
  tail: LogTail,
  request: FastifyRequest,
  reply: FastifyReply,
): Stream {
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
      const entries = await tail.read(place);
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
        const pause = setTimeout(() => {
          tail.forget();
          resolve();
        }, HEARTBEAT_MS);
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
