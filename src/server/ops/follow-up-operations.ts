// What operators look at and do about follow-ups and who is told of them. docs/follow-ups.md
import type { FastifyRequest } from 'fastify';
import { isId } from '../../fhir/request-url.ts';
import type { Notify } from '../../notify/notify.ts';
import type { Transitions } from '../../transitions/transitions.ts';
import type { FhirContext } from '../fhir/context.ts';
import { grantOf } from '../grant-of.ts';
import { bodyOf, wrong } from './command-body.ts';
import { countFollowUps } from './follow-up-counts.ts';
import { FOLLOW_UP_FILTERS, listFollowUps } from './follow-ups.ts';
import type { Doors } from './sync-operations.ts';
import { FAILING, listTable, NOTIFICATIONS } from './table-list.ts';

export interface FollowUpOperations {
  readonly context: FhirContext;
  /** Absent: no commands about follow-ups. */
  readonly transitions?: Pick<Transitions, 'tick' | 'rewind' | 'replan'> | undefined;
  /** Absent: nobody can be told. */
  readonly notify?: Pick<Notify, 'tick' | 'retry'> | undefined;
}

export function serveFollowUps({ list, item, command }: Doors, parts: FollowUpOperations): void {
  const { context, transitions, notify } = parts;
  const { store } = context;
  list('follow-ups', FOLLOW_UP_FILTERS, (request) => listFollowUps(context, request));
  list('follow-ups/failing', FAILING.filters, (request) => listTable(store, FAILING, request));
  item('follow-ups/counts', 'follow-up-counts', () => countFollowUps(context));
  list('notifications', NOTIFICATIONS.filters, (request) => listTable(store, NOTIFICATIONS, request));
  if (transitions) {
    command('follow-ups/rewind', 'follow-up-rewind', async (request) => {
      const { task } = bodyOf(request.body, ['task']);
      if (task !== undefined && !isIdText(task))
        throw wrong('task', 'task is the id of a Task; all that fail when absent.');
      const rewound = await transitions.rewind(actorOf(request), task);
      return { rewound, swept: await transitions.tick() };
    });
    command('follow-ups/re-plan', 'follow-up-re-plan', async (request) => {
      const { episode, tag } = bodyOf(request.body, ['episode', 'tag']);
      if (!isIdText(episode)) throw wrong('episode', 'episode is the id of an EpisodeOfCare.');
      if (tag !== undefined && typeof tag !== 'string') throw wrong('tag', 'tag is what the dry run answered.');
      return transitions.replan(episode, tag);
    });
  }
  if (!notify) return;
  command('notifications/retry', 'notification-retry', async (request) => {
    const { request: id } = bodyOf(request.body, ['request']);
    if (!isIdText(id)) throw wrong('request', 'request is the id of a CommunicationRequest.');
    const waiting = await notify.retry(actorOf(request), id);
    await notify.tick();
    return { request: id, waiting };
  });
}

const isIdText = (value: unknown): value is string => typeof value === 'string' && isId(value);
const actorOf = (request: FastifyRequest) => grantOf(request).actor;
