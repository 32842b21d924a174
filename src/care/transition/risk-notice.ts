// The record that whoever has a transition is to be told that its risk is another one than its plan was made for.
import type { CarePlan, CommunicationRequest, EpisodeOfCare } from '@medplum/fhirtypes';
import { concept } from '../concept.ts';
import { referenceTo } from '../reference-to.ts';
import { CODE_SYSTEM, IDENTIFIER } from '../systems.ts';
import type { MethodRisk } from './risk-assessment.ts';

/** Once for each band. @param protocol title of the one that would fit now */
export function tellOfRisk(
  carePlan: CarePlan,
  episode: EpisodeOfCare,
  { method, score, protocol }: MethodRisk & { readonly protocol: string },
  now: Temporal.Instant,
): CommunicationRequest {
  const said = now.toString({ smallestUnit: 'second' });
  const recipient = episode.careManager ?? carePlan.careTeam?.[0];
  return {
    resourceType: 'CommunicationRequest',
    identifier: [{ system: IDENTIFIER.reminder, value: `${episode.id}|risk-${score.band}|1` }],
    basedOn: [referenceTo(carePlan)],
    status: 'active',
    category: [concept('http://terminology.hl7.org/CodeSystem/communication-category', 'reminder', 'Reminder')],
    priority: 'urgent',
    subject: carePlan.subject as NonNullable<CommunicationRequest['subject']>,
    about: [referenceTo(episode)],
    payload: [
      { contentString: `Risk changed: ${method.short} ${score.total}, ${score.band}. "${protocol}" fits now.` },
    ],
    occurrenceDateTime: said,
    authoredOn: said,
    ...(recipient ? { recipient: [recipient] } : {}),
    reasonCode: [concept(CODE_SYSTEM.messageReason, 'risk-changed', 'Risk changed')],
  };
}
