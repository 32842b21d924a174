// What bears on a risk arrived after the discharge: a result, a diagnosis, an earlier stay, a corrected time. The risks of
// the patient's transitions are computed anew, as new versions of the same RiskAssessments. When another protocol would fit
// now, a plan that nobody has begun is replaced; people who work on one are told.
import type { EpisodeOfCare, RiskAssessment } from '@medplum/fhirtypes';
import { findResources, idOf, parseVersion, readResource } from '../care/stored.ts';
import { isLive, isTransition } from '../care/transition/episode.ts';
import { isUntouched } from '../care/transition/follow-up.ts';
import { isMissed } from '../care/transition/life.ts';
import { chooseProtocol, type Protocol } from '../care/transition/protocol.ts';
import { attribute } from '../care/transition/provenance.ts';
import {
  type AssessedRisk,
  knownRiskFacts,
  ofTransition,
  riskIdFor,
  totalOf,
} from '../care/transition/risk-assessment.ts';
import { tellOfRisk } from '../care/transition/risk-notice.ts';
import type { TransitionContext } from '../care/transition/transition-context.ts';
import { canonicalJson, type Json } from '../fhir/canonical-json.ts';
import type { Change } from '../fhir/change.ts';
import type { LogEntry } from '../store/store.ts';
import { decideAgain } from './decide-again.ts';
import type { TransitionEvent } from './events.ts';
import { liveTransitions } from './facts.ts';
import { type LivePlan, readLivePlan } from './live-plan.ts';
import type { Parts } from './parts.ts';
import { reminderQuery } from './raise.ts';
import { both, NOTHING, type Reaction } from './reaction.ts';
import { replacePlan } from './replace-plan.ts';
import { follows } from './revise.ts';
import { resultCodes } from './risk-data.ts';

/**
 * @param before what the same entry leads to anyway; transitions that it ends are left alone, those it moves are not
 *   planned anew
 */
export async function reassess(parts: Parts, entry: LogEntry, before: Reaction = NOTHING): Promise<Reaction> {
  const patient = await patientAtRisk(parts, entry);
  if (!patient) return NOTHING;
  const planned = new Map(before.changes.flatMap(episodeIn));
  let reaction = NOTHING;
  for (const episode of await liveTransitions(parts, `Patient/${patient}`)) {
    const now = planned.get(episode.id ?? '');
    if (now && !isLive(now)) continue;
    reaction = both(reaction, await reassessTransition(parts, entry, episode, now === undefined));
  }
  return reaction;
}

const episodeIn = (change: Change): [string, EpisodeOfCare][] =>
  change.op === 'update' && change.resource.resourceType === 'EpisodeOfCare'
    ? [[change.resource.id ?? '', change.resource]]
    : [];

/** Id of the patient whose risk an entry may bear on. */
async function patientAtRisk({ store, rules }: Parts, entry: LogEntry): Promise<string | undefined> {
  const { type, id, versionId, operation } = entry;
  if (type !== 'Encounter' && type !== 'Condition' && type !== 'Procedure' && type !== 'Observation') return undefined;
  // What is deleted was about somebody.
  const version = operation === 'delete' ? await store.vread(type, id, String(Number(versionId) - 1)) : entry;
  if (!version || version.operation === 'delete') return undefined;
  const resource = parseVersion(version, type);
  if (resource.resourceType === 'Observation') {
    const asked = resultCodes(rules.methods);
    if (!resource.code.coding?.some(({ system, code }) => asked.has(`${system}|${code}`))) return undefined;
  }
  return idOf(resource.subject, 'Patient');
}

async function reassessTransition(
  parts: Parts,
  entry: LogEntry,
  episode: EpisodeOfCare,
  mayReplan: boolean,
): Promise<Reaction> {
  const { store } = parts;
  const again = await decideAgain(parts, episode);
  if (!again) return NOTHING;
  const { encounter, facts, decision } = again;
  const changes = await changedRisks(parts, episode, decision.risk, entry);
  if (changes.length === 0) return NOTHING;
  const { total, band } = decision.risk.score;
  const event: TransitionEvent = {
    kind: 'transition-risk-changed',
    episode: episode.id ?? '',
    encounter: encounter.id ?? '',
    score: total,
    band,
  };
  const known = await readResource(store, 'RiskAssessment', riskIdFor(episode.id ?? '', decision.risk.method.code));
  const updated: Reaction = { changes, events: () => (known && totalOf(known) === total ? [] : [event]) };
  const plan = await readLivePlan(store, episode);
  if (!plan.carePlan || follows(plan, decision.protocol)) return updated;
  if (mayReplan && isUnbegun(plan)) {
    const begun = await findResources(store, 'EpisodeOfCare', { encounter: `Encounter/${encounter.id}` });
    const others = begun.filter(isTransition);
    return (await replacePlan(parts, plan, facts, decision, others)).reaction;
  }
  const title = decision.protocol.definition.title ?? decision.protocol.canonical;
  const notice = tellOfRisk(plan.carePlan, episode, { ...decision.risk, protocol: title }, facts.context.now);
  const key = notice.identifier?.[0]?.value ?? '';
  const told: Change = { op: 'create', resource: notice, ifNoneExist: reminderQuery(key) };
  return both(updated, { changes: [told], events: () => [] });
}

/** Nobody works on the plan yet. */
export function isUnbegun({ tasks }: LivePlan): boolean {
  return tasks.every((task) => isUntouched(task) && !isMissed(task));
}

/**
 * The protocol of the plan under way when it would still be chosen at the risk it was made for: people who work on a plan
 * keep it. Undefined when something else calls for another.
 */
export async function protocolAtFirstRisk(
  { store, rules }: Parts,
  plan: LivePlan,
  context: TransitionContext,
): Promise<Protocol | undefined> {
  const id = plan.episode.id ?? '';
  // Their first versions were made with the plan.
  const known = await Promise.all(
    rules.methods.map(({ code }) => store.vread('RiskAssessment', riskIdFor(id, code), '1')),
  );
  const facts = knownRiskFacts(known.flatMap((risk) => (risk ? [parseVersion(risk, 'RiskAssessment')] : [])));
  const protocol = facts && chooseProtocol(rules.protocols, context, facts);
  return protocol && follows(plan, protocol) ? protocol : undefined;
}

/** Those assessments that say something else now, with the Provenance of that. */
async function changedRisks(
  { store }: Parts,
  episode: EpisodeOfCare,
  risk: AssessedRisk,
  entry: LogEntry,
): Promise<Change[]> {
  const id = episode.id ?? '';
  const changes = await Promise.all(
    risk.all.map(async (each): Promise<Change[]> => {
      const known = await readResource(store, 'RiskAssessment', riskIdFor(id, each.method.code));
      const assessed = ofTransition(each, id);
      if (known && saysTheSame(known, assessed)) return [];
      // A method that was not in use at the discharge is not started on transitions under way.
      return known ? [{ op: 'update', resource: assessed, ifMatch: known.meta?.versionId }] : [];
    }),
  );
  const updates = changes.flat();
  if (updates.length === 0) return [];
  const targets = updates.flatMap((change) =>
    change.op === 'update' ? [{ reference: `RiskAssessment/${change.resource.id}` }] : [],
  );
  const now = Temporal.Instant.from(risk.assessment.occurrenceDateTime ?? '');
  const resource = attribute(targets, `${entry.type}/${entry.id}`, 'UPDATE', now);
  return [...updates, { op: 'create', resource }];
}

/** Apart from when it was said. */
function saysTheSame(known: RiskAssessment, assessed: RiskAssessment): boolean {
  const said = ({ meta, text, occurrenceDateTime, ...rest }: RiskAssessment) => canonicalJson(rest as unknown as Json);
  return said(known) === said(assessed);
}
