// Advance directives: documents that say what a patient wants when they cannot say so, or who decides then.
import { randomUUID } from 'node:crypto';
import type { DocumentReference } from '@medplum/fhirtypes';
import Type, { type Static } from 'typebox';
import { Fault } from '../../fault.ts';
import { caseAtHand, type OnCase, type OnItem, workableCase } from '../case-at-hand.ts';
import { claims } from '../claimed-profiles.ts';
import { Coded, codedOf, conceptOf } from '../coded.ts';
import { concept, hasCode } from '../concept.ts';
import { Day, nowOf, requireOrder, requirePast } from '../given-time.ts';
import { knownResource } from '../known-resource.ts';
import { Linked, LinkedOut, linkedOf } from '../linked.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { referenceTo } from '../reference-to.ts';
import { idOf } from '../stored.ts';

const LOINC = 'http://loinc.org';
const DIRECTIVES = concept(LOINC, '42348-3', 'Advance healthcare directives');
const TYPES = ['42348-3', '75320-2', '81334-5', '64298-3', '86533-7', '92664-2', '93037-0'] as const;

const strict = { additionalProperties: false } as const;

export const DirectiveGiven = Type.Object(
  {
    type: Type.Object(
      { ...Coded.properties },
      { ...strict, description: 'A LOINC code of ValueSet advance-directive-type, e.g. 86533-7 for a living will' },
    ),
    url: Type.String({ format: 'uri', pattern: '^(https?://|urn:|Binary/)', description: 'Where the document is' }),
    contentType: Type.Optional(Type.String({ pattern: '^[a-z]+/[a-z0-9.+-]+$' })),
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 300, pattern: '\\S' })),
    signed: Type.Optional(Day),
    custodian: Type.Optional(Linked),
    replaces: Type.Optional(Type.String({ description: 'Id of the directive that it takes the place of' })),
  },
  strict,
);
export type DirectiveGiven = Static<typeof DirectiveGiven>;

export const DirectiveRevocation = Type.Object({ on: Type.Optional(Day) }, strict);
export type DirectiveRevocation = Static<typeof DirectiveRevocation>;

export const DirectiveView = Type.Object({
  id: Type.String(),
  version: Type.String(),
  status: Type.String({ description: 'current, or superseded when replaced or revoked' }),
  type: Type.Optional(Coded),
  url: Type.Optional(Type.String()),
  contentType: Type.Optional(Type.String()),
  title: Type.Optional(Type.String()),
  signed: Type.Optional(Type.String()),
  ended: Type.Optional(Type.String()),
  recorded: Type.Optional(Type.String()),
  custodian: Type.Optional(LinkedOut),
  replaces: Type.Optional(LinkedOut),
});
export type DirectiveView = Static<typeof DirectiveView>;

/** @throws Fault not-found; unprocessable for another type of document, a day to come, a directive that is not current */
export async function recordDirective(
  records: Records,
  caller: Caller,
  { caseId, body }: OnCase<DirectiveGiven>,
): Promise<Planned> {
  const { patient } = await workableCase(records, caseId);
  const { type, url, contentType, title, signed, custodian, replaces } = body;
  if ((type.system ?? LOINC) !== LOINC || !TYPES.some((code) => code === type.code)) {
    throw refused('type is none of the codes of ValueSet advance-directive-type.', 'type', 'code-invalid');
  }
  if (signed) requirePast(signed, 'signed', caller);
  if (custodian) await knownResource(records, {}, custodian.reference, ['Organization'], 'custodian');
  const before = replaces === undefined ? undefined : await directiveOf(records, caseId, replaces);
  if (before) requireCurrent(before);
  const resource: DocumentReference = {
    resourceType: 'DocumentReference',
    meta: claims('baton-advance-directive', 'us-core-documentreference'),
    status: 'current',
    type: conceptOf({ ...type, system: LOINC }),
    category: [DIRECTIVES],
    subject: referenceTo(patient),
    date: caller.now.toString({ smallestUnit: 'millisecond' }),
    author: [caller.who as NonNullable<DocumentReference['author']>[number]],
    ...(custodian ? { custodian: custodian as NonNullable<DocumentReference['custodian']> } : {}),
    ...(before ? { relatesTo: [{ code: 'replaces', target: referenceTo(before) }] } : {}),
    content: [{ attachment: { ...(contentType ? { contentType } : {}), url, ...(title ? { title } : {}) } }],
    ...(signed ? { context: { period: { start: signed } } } : {}),
  };
  return {
    changes: [
      { op: 'create', resource, id: randomUUID() },
      ...(before
        ? [
            {
              op: 'update' as const,
              resource: ended(before, signed ?? nowOf(caller), 'signed'),
              ifMatch: before.meta.versionId,
            },
          ]
        : []),
    ],
    about: 0,
  };
}

/** @throws Fault not-found; unprocessable when it does not hold any more, or for a day to come */
export async function revokeDirective(
  records: Records,
  caller: Caller,
  { caseId, id, body }: OnItem<DirectiveRevocation>,
): Promise<Planned> {
  await workableCase(records, caseId);
  const kept = requireCurrent(await directiveOf(records, caseId, id));
  const { on = nowOf(caller) } = body;
  requirePast(on, 'on', caller);
  return { changes: [{ op: 'update', resource: ended(kept, on, 'on'), ifMatch: kept.meta.versionId }], about: 0 };
}

/** The latest first. @throws Fault not-found */
export async function listDirectives(records: Records, caseId: string): Promise<DirectiveView[]> {
  const { patient } = await caseAtHand(records, caseId);
  const subject = `Patient/${patient.id}`;
  const found = await records.find('DocumentReference', { patient: subject, _sort: '-date' });
  return found.filter(isDirective).map(viewDirective);
}

/** @throws Fault not-found */
export async function showDirective(records: Records, caseId: string, id: string): Promise<DirectiveView> {
  return viewDirective(await directiveOf(records, caseId, id));
}

export function viewDirective(document: Kept<'DocumentReference'>): DirectiveView {
  const { url, contentType, title } = document.content[0]?.attachment ?? {};
  const type = codedOf(document.type);
  const custodian = linkedOf(document.custodian);
  const replaces = linkedOf(document.relatesTo?.find(({ code }) => code === 'replaces')?.target);
  const { start, end } = document.context?.period ?? {};
  return {
    id: document.id,
    version: document.meta.versionId,
    status: document.status,
    ...(type ? { type } : {}),
    ...(url ? { url } : {}),
    ...(contentType ? { contentType } : {}),
    ...(title ? { title } : {}),
    ...(start ? { signed: start } : {}),
    ...(end ? { ended: end } : {}),
    ...(document.date ? { recorded: document.date } : {}),
    ...(custodian ? { custodian } : {}),
    ...(replaces ? { replaces } : {}),
  };
}

function isDirective({ category, type, status }: DocumentReference): boolean {
  if (status === 'entered-in-error') return false;
  return (
    (category?.some((one) => hasCode(one, LOINC, '42348-3')) ?? false) ||
    TYPES.some((code) => hasCode(type, LOINC, code))
  );
}

async function directiveOf(records: Records, caseId: string, id: string): Promise<Kept<'DocumentReference'>> {
  const { patient } = await caseAtHand(records, caseId);
  const found = await records.read('DocumentReference', id);
  if (found && isDirective(found) && idOf(found.subject, 'Patient') === patient.id) return found;
  throw new Fault('not-found', `The case has no advance directive ${id}.`);
}

function requireCurrent(document: Kept<'DocumentReference'>): Kept<'DocumentReference'> {
  if (document.status === 'current') return document;
  throw refused('The directive does not hold any more.', 'DocumentReference.status', 'business-rule');
}

/** @throws Fault unprocessable when it would end before it was signed */
function ended(document: DocumentReference, end: string, member: string): DocumentReference {
  const { context } = document;
  const start = context?.period?.start;
  if (start && start.slice(0, 10) > end.slice(0, 10))
    requireOrder(start, end, ['the day it was signed', member], { zone: 'UTC' });
  return { ...document, status: 'superseded', context: { ...context, period: { ...context?.period, end } } };
}

function refused(sentence: string, expression: string, code: 'business-rule' | 'code-invalid'): Fault {
  return new Fault('unprocessable', sentence, { expression, code });
}
