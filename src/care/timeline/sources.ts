// Where the timeline comes from: for each type of resource how it is searched, newest first, and what of it is an entry. One
// row, one search; adding a kind is adding a row.
import type { CodeableConcept, Reference, ResourceType } from '@medplum/fhirtypes';
import { hasCode } from '../concept.ts';
import { isLoggedVisit } from '../contacts/contact-visit.ts';
import { isMessage } from '../messages/message.ts';
import type { Kept, SearchFor } from '../records.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { stageOf } from '../transition/life.ts';
import type { Kind } from './timeline-schema.ts';

export interface Source {
  readonly type: ResourceType;
  readonly kinds: readonly Kind[];
  /** Search parameter that leads to the patient. */
  readonly patient: string;
  /** Search parameter by which it is sorted; `when` is the value that it sorts by. */
  readonly date: string;
  readonly search?: SearchFor;
  /** Undefined for what another source tells. */
  readonly entry: (resource: never) => Said | undefined;
}

/** What a resource says of itself. */
export interface Said {
  readonly kind: Kind;
  readonly when: string | undefined;
  readonly what: string | undefined;
  readonly code?: CodeableConcept | undefined;
  readonly status?: string | undefined;
  /** Of a follow-up, as code of follow-up-status. */
  readonly stage?: string | undefined;
  readonly who?: Reference | undefined;
}

interface Row<K extends ResourceType> extends Omit<Source, 'type' | 'entry'> {
  readonly type: K;
  readonly entry: (resource: Kept<K>) => Said | undefined;
}

const row = <K extends ResourceType>(source: Row<K>): Source => source as unknown as Source;

/** Admitted to a bed, kept for observation or seen as an emergency. */
const ADMITTED: ReadonlySet<string> = new Set(['IMP', 'ACUTE', 'NONAC', 'OBSENC', 'EMER', 'SS']);

export const SOURCES: readonly Source[] = [
  row({
    type: 'Encounter',
    kinds: ['admission', 'encounter'],
    patient: 'patient',
    date: 'date',
    entry: (encounter) => {
      // Its contact tells of it.
      if (isLoggedVisit(encounter)) return undefined;
      const { class: kind, type, status, period, participant, reasonCode } = encounter;
      return {
        kind: ADMITTED.has(kind?.code ?? '') ? 'admission' : 'encounter',
        when: period?.start ?? period?.end,
        what: words(type?.[0]) ?? words(reasonCode?.[0]) ?? kind?.display ?? kind?.code,
        code: type?.[0],
        status,
        who: participant?.[0]?.individual,
      };
    },
  }),
  row({
    type: 'QuestionnaireResponse',
    kinds: ['assessment'],
    patient: 'patient',
    date: 'authored',
    entry: ({ authored, author, source, status, questionnaire }) => ({
      kind: 'assessment',
      when: authored,
      what: questionnaire?.split('|')[0]?.split('/').at(-1),
      status,
      who: author ?? source,
    }),
  }),
  row({
    type: 'Condition',
    kinds: ['need'],
    patient: 'patient',
    date: 'recorded-date',
    entry: ({ recordedDate, code, clinicalStatus, recorder, asserter }) => ({
      kind: 'need',
      when: recordedDate,
      what: words(code),
      code,
      status: clinicalStatus?.coding?.[0]?.code,
      who: recorder ?? asserter,
    }),
  }),
  row({
    type: 'Goal',
    kinds: ['goal'],
    patient: 'patient',
    date: 'start-date',
    entry: ({ startDate, description, lifecycleStatus, expressedBy }) => ({
      kind: 'goal',
      when: startDate,
      what: words(description),
      code: description,
      status: lifecycleStatus,
      who: expressedBy,
    }),
  }),
  row({
    type: 'Observation',
    kinds: ['progress'],
    patient: 'patient',
    date: 'date',
    search: { 'focus:missing': 'false' },
    entry: ({ effectiveDateTime, effectivePeriod, issued, code, status, performer }) => ({
      kind: 'progress',
      when: effectiveDateTime ?? effectivePeriod?.start ?? issued,
      what: words(code),
      code,
      status,
      who: performer?.[0],
    }),
  }),
  row({
    type: 'Task',
    kinds: ['task'],
    patient: 'patient',
    date: 'modified',
    entry: (task) => ({
      kind: 'task',
      when: task.lastModified,
      what: task.description ?? words(task.code),
      code: task.code,
      status: task.status,
      stage: stageOf(task),
      who: task.owner,
    }),
  }),
  row({
    type: 'Communication',
    kinds: ['contact', 'message', 'case-note'],
    patient: 'patient',
    date: 'sent',
    entry: (communication) => {
      const { sent, category, topic, status, sender } = communication;
      const event = category?.find((each) => each.coding?.some(({ system }) => system === CODE_SYSTEM.caseEvent));
      return {
        kind: event ? 'case-note' : isMessage(communication) ? 'message' : 'contact',
        when: sent,
        what: words(topic) ?? words(event ?? category?.[0]),
        code: topic ?? category?.[0],
        status,
        who: sender,
      };
    },
  }),
  row({
    type: 'CommunicationRequest',
    kinds: ['notice'],
    patient: 'patient',
    date: 'authored',
    entry: ({ authoredOn, payload, reasonCode, status, recipient }) => ({
      kind: 'notice',
      when: authoredOn,
      what: payload?.[0]?.contentString ?? words(reasonCode?.[0]),
      code: reasonCode?.[0],
      status,
      who: recipient?.[0],
    }),
  }),
  row({
    type: 'Appointment',
    kinds: ['appointment'],
    patient: 'patient',
    date: 'date',
    entry: ({ start, description, serviceType, appointmentType, status }) => ({
      kind: 'appointment',
      when: start,
      what: description ?? words(appointmentType) ?? words(serviceType?.[0]),
      code: appointmentType ?? serviceType?.[0],
      status,
    }),
  }),
  row({
    type: 'Procedure',
    kinds: ['procedure'],
    patient: 'patient',
    date: 'date',
    entry: ({ performedDateTime, performedPeriod, code, status, performer }) => ({
      kind: 'procedure',
      when: performedDateTime ?? performedPeriod?.start ?? performedPeriod?.end,
      what: words(code),
      code,
      status,
      who: performer?.[0]?.actor,
    }),
  }),
  row({
    type: 'List',
    kinds: ['medication-list'],
    patient: 'patient',
    date: 'date',
    entry: ({ date, title, code, status, source }) => ({
      kind: 'medication-list',
      when: date,
      what: title ?? words(code),
      code,
      status,
      who: source,
    }),
  }),
  row({
    type: 'DetectedIssue',
    kinds: ['medication-issue'],
    patient: 'patient',
    date: 'identified',
    entry: ({ identifiedDateTime, identifiedPeriod, code, status, author }) => ({
      kind: 'medication-issue',
      when: identifiedDateTime ?? identifiedPeriod?.start,
      what: words(code),
      code,
      status,
      who: author,
    }),
  }),
  row({
    type: 'ServiceRequest',
    kinds: ['referral'],
    patient: 'patient',
    date: 'authored',
    entry: ({ authoredOn, code, status, requester }) => ({
      kind: 'referral',
      when: authoredOn,
      what: words(code),
      code,
      status,
      who: requester,
    }),
  }),
  row({
    type: 'DocumentReference',
    kinds: ['document'],
    patient: 'patient',
    date: 'date',
    entry: ({ date, type, description, status, author }) => ({
      kind: 'document',
      when: date,
      what: description ?? words(type),
      code: type,
      status,
      who: author?.[0],
    }),
  }),
  row({
    type: 'RiskAssessment',
    kinds: ['risk'],
    patient: 'patient',
    date: 'date',
    entry: ({ occurrenceDateTime, occurrencePeriod, method, code, status, performer }) => ({
      kind: 'risk',
      when: occurrenceDateTime ?? occurrencePeriod?.start,
      what: words(code) ?? words(method),
      code: code ?? method,
      status,
      who: performer,
    }),
  }),
  row({
    type: 'Flag',
    kinds: ['flag'],
    patient: 'patient',
    date: 'date',
    entry: ({ period, code, status, author }) => ({
      kind: 'flag',
      when: period?.start ?? period?.end,
      what: words(code),
      code,
      status,
      who: author,
    }),
  }),
  row({
    type: 'CarePlan',
    kinds: ['plan'],
    patient: 'patient',
    date: 'date',
    entry: ({ period, title, category, status, author }) => ({
      kind: 'plan',
      when: period?.start ?? period?.end,
      what: title ?? words(category?.[0]),
      status,
      who: author,
    }),
  }),
  row({
    type: 'EpisodeOfCare',
    kinds: ['transition'],
    patient: 'patient',
    date: 'date',
    search: { type: `${CODE_SYSTEM.episodeType}|transition-of-care` },
    entry: ({ period, type, status, careManager }) => ({
      kind: 'transition',
      when: period?.start ?? period?.end,
      what: words(type?.find((each) => hasCode(each, CODE_SYSTEM.episodeType, 'transition-of-care'))),
      status,
      who: careManager,
    }),
  }),
  row({
    type: 'Provenance',
    kinds: ['change'],
    patient: 'patient',
    date: 'recorded',
    entry: ({ recorded, activity, target, agent }) => ({
      kind: 'change',
      when: recorded,
      what: `${words(activity) ?? 'change'} ${target[0]?.reference?.split('/')[0] ?? ''}`.trim(),
      code: activity,
      who: agent[0]?.who,
    }),
  }),
];

function words(concept: CodeableConcept | undefined): string | undefined {
  return (
    concept?.text ??
    concept?.coding?.find(({ display }) => display !== undefined)?.display ??
    concept?.coding?.[0]?.code
  );
}
