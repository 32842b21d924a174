// Contacts and attempts of a case.
import Type from 'typebox';
import { Attempts, Contact, CorrectContact, LogContact, RetractContact } from '../../care/contacts/contact-schema.ts';
import { ContactFilter, listContacts, showContact } from '../../care/contacts/list-contacts.ts';
import { correctContact, logContact, retractContact } from '../../care/contacts/log-contact.ts';
import { command, query } from './route.ts';

const SHARED = { tag: 'Contacts', reads: ['EpisodeOfCare', 'Communication'] } as const;

export const CONTACT_ROUTES = [
  query({
    ...SHARED,
    path: '/cases/:id/contacts',
    name: 'contact-list',
    summary: 'Contacts and attempts, the latest first, and how often each intervention was tried',
    query: ContactFilter,
    answer: Type.Object({ items: Type.Array(Contact), attempts: Type.Array(Attempts) }),
    run: ({ records, caller, params, query: filter }) => listContacts(records, caller, { case: params.id, filter }),
  }),
  query({
    ...SHARED,
    path: '/cases/:id/contacts/:contact',
    name: 'contact-read',
    summary: 'One contact',
    answer: Contact,
    run: ({ records, caller, params }) => showContact(records, caller, { case: params.id, id: params.contact }),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/contacts',
    name: 'contact-log',
    summary: 'Logs a contact or an attempt, and completes an intervention by it if asked',
    description: '`visit` says that a video contact was a visit; the same transaction makes its Encounter (class VR).',
    body: LogContact,
    answer: Contact,
    examples: {
      body: {
        channel: 'video',
        party: 'patient',
        purpose: { text: 'Medication check after discharge' },
        outcome: 'reached',
        started: '2026-11-28T10:15:00-05:00',
        ended: '2026-11-28T10:40:00-05:00',
        visit: { service: { text: 'Case management' } },
        note: 'Showed the pill box.',
        intervention: { reference: 'Task/12' },
      },
    },
    plan: ({ records, caller, params, body }) => logContact(records, caller, { case: params.id, contact: body }),
    view: ({ records, caller, params }, made) => showContact(records, caller, { case: params.id, id: made.id }),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/contacts/:contact/correct',
    name: 'contact-correct',
    summary: 'Marks a contact as entered in error and logs the right one',
    body: CorrectContact,
    examples: {
      body: {
        reason: 'Wrong time',
        contact: {
          channel: 'phone',
          party: 'patient',
          outcome: 'reached',
          started: '2026-11-28T10:15:00-05:00',
        },
      },
    },
    answer: Contact,
    plan: ({ records, caller, params, body }) =>
      correctContact(records, caller, { case: params.id, id: params.contact, ...body }),
    view: ({ records, caller, params }, made) => showContact(records, caller, { case: params.id, id: made.id }),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/contacts/:contact/retract',
    name: 'contact-retract',
    summary: 'Marks a contact as entered in error',
    body: RetractContact,
    examples: { body: { reason: 'Logged for the wrong patient' } },
    answer: Contact,
    plan: ({ records, caller, params, body }) =>
      retractContact(records, caller, { case: params.id, id: params.contact, ...body }),
    view: ({ records, caller, params }, made) => showContact(records, caller, { case: params.id, id: made.id }),
  }),
];
