// Messages among the people of a case.
import Type from 'typebox';
import { Message, Thread, WriteMessage } from '../../care/messages/message-schema.ts';
import { listThreads, showMessage } from '../../care/messages/threads.ts';
import { retractMessage, writeMessage } from '../../care/messages/write-message.ts';
import { type ApiRoute, command, query } from './route.ts';

const SHARED = { tag: 'Messages', reads: ['EpisodeOfCare', 'Communication'] } as const;

export const MESSAGE_ROUTES: readonly ApiRoute[] = [
  query({
    ...SHARED,
    path: '/cases/:id/messages',
    name: 'message-list',
    summary: 'Messages about the case in threads, the latest thread first',
    answer: Type.Object({ items: Type.Array(Thread) }),
    run: async ({ records, caller, params }) => ({ items: await listThreads(records, caller, params.id) }),
  }),
  query({
    ...SHARED,
    path: '/cases/:id/messages/:message',
    name: 'message-read',
    summary: 'One message',
    answer: Message,
    run: ({ records, params }) => showMessage(records, params.id, params.message),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/messages',
    name: 'message-write',
    summary: 'Writes to people of the case, or answers them',
    description:
      'Nobody is notified: recipients read their messages here or over FHIR. Whoever may read the Communications of the patient may read it, the patient too.',
    body: WriteMessage,
    answer: Message,
    examples: {
      body: {
        to: [{ reference: 'Practitioner/7' }, { reference: 'RelatedPerson/4' }],
        text: 'The walker comes on Thursday. Who is at home?',
        inReplyTo: { reference: 'Communication/31' },
      },
    },
    plan: ({ records, caller, params, body }) => writeMessage(records, caller, { caseId: params.id, body }),
    view: ({ records, params }, made) => showMessage(records, params.id, made.id),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/messages/:message/retract',
    name: 'message-retract',
    summary: 'Takes back a message of one’s own',
    answer: Message,
    plan: ({ records, caller, params }) => retractMessage(records, caller, { caseId: params.id, id: params.message }),
    view: ({ records, params }, made) => showMessage(records, params.id, made.id),
  }),
];
