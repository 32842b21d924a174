// What a step is for is told after the discharge: an order for equipment, a result that is still to come. The step joins the
// plan as it would have been there, while its deadline is ahead.
import type { DeviceRequest, DiagnosticReport, EpisodeOfCare } from '@medplum/fhirtypes';
import { windowOf } from '../care/deadline.ts';
import { idOf, parseVersion, readResource } from '../care/stored.ts';
import { applyStep } from '../care/transition/apply-plan-definition.ts';
import { moveCarePlan } from '../care/transition/care-plan.ts';
import { followUpKey } from '../care/transition/follow-up.ts';
import type { ProtocolStep } from '../care/transition/protocol.ts';
import { attribute } from '../care/transition/provenance.ts';
import { riskFacts } from '../care/transition/risk-assessment.ts';
import type { LogEntry, Store } from '../store/store.ts';
import { decideAgain } from './decide-again.ts';
import { liveTransitions } from './facts.ts';
import { goalsOfPlan } from './goals-of-plan.ts';
import { type LivePlan, readLivePlan } from './live-plan.ts';
import type { Parts } from './parts.ts';
import { both, NOTHING, type Reaction } from './reaction.ts';
import { linesOf } from './revise.ts';

type Need = DeviceRequest | DiagnosticReport;

/** Statuses in which something is still to come of it. */
const OPEN: ReadonlySet<Need['status']> = new Set(['active', 'on-hold', 'registered', 'partial', 'preliminary']);

export async function reactToNeed(parts: Parts, entry: LogEntry): Promise<Reaction> {
  const { type, operation } = entry;
  if (operation === 'delete' || (type !== 'DeviceRequest' && type !== 'DiagnosticReport')) return NOTHING;
  const need: Need = parseVersion(entry, type);
  const patient = idOf(need.subject, 'Patient');
  if (!patient || !OPEN.has(need.status)) return NOTHING;
  let reaction = NOTHING;
  for (const episode of await liveTransitions(parts, `Patient/${patient}`)) {
    reaction = both(reaction, await joined(parts, episode, entry));
  }
  return reaction;
}

async function joined(parts: Parts, episode: EpisodeOfCare, entry: LogEntry): Promise<Reaction> {
  const { store } = parts;
  const again = await decideAgain(parts, episode);
  if (!again) return NOTHING;
  const { facts, decision } = again;
  const plan = await readLivePlan(store, episode);
  const { carePlan } = plan;
  // Of the protocol it was made from, whatever the risk would choose now. One of an earlier version keeps the steps that it has.
  const protocol = parts.rules.protocols.find(({ canonical }) => carePlan?.instantiatesCanonical?.includes(canonical));
  if (!carePlan || !protocol) return NOTHING;
  const [careTeam] = carePlan.careTeam ?? [];
  const risk = riskFacts(decision.risk);
  // Several may be told at once: a step that is for any of them.
  const without = { ...facts.context, orders: [], pendingResults: [] };
  const isForNeeds = (step: ProtocolStep) => step.applies(facts.context, risk) && !step.applies(without, risk);
  const isAhead = ({ timing }: ProtocolStep) =>
    Temporal.Instant.compare(windowOf(timing, facts.context.anchor).due, facts.context.now) > 0;
  const planned = protocol.steps.filter((step) => isForNeeds(step) && isAhead(step));
  const known = planned.length > 0 ? await stepsOf(store, plan) : new Set();
  const steps = planned.filter(({ id }) => !known.has(id));
  if (steps.length === 0 || !careTeam?.reference) return NOTHING;
  const references = {
    episode: episode.id ?? '',
    carePlan: { reference: `CarePlan/${carePlan.id}` },
    careTeam: { reference: careTeam.reference },
    goals: goalsOfPlan(protocol, plan),
  };
  const made = steps.map((step) => applyStep(step, protocol.canonical, references, facts.context));
  const activity = [...(carePlan.activity ?? []), ...made.map(({ activity: { reference } }) => ({ reference }))];
  const lines = [...linesOf(plan, [], protocol, facts.context), ...made.map((one) => one.activity.line)];
  const grown = { ...moveCarePlan(carePlan, lines, facts.context), activity };
  const targets = [...made.map(({ change }) => change.fullUrl), references.carePlan.reference];
  const provenance = attribute(
    targets.map((reference) => ({ reference })),
    `${entry.type}/${entry.id}`,
    'UPDATE',
    facts.context.now,
  );
  return {
    changes: [
      ...made.map(({ change }) => change),
      { op: 'update', resource: grown, ifMatch: carePlan.meta?.versionId },
      { op: 'create', resource: provenance },
    ],
    events: () => [],
  };
}

/** Of the plan's own follow-ups, and of those that it has taken over as done from an earlier plan. */
async function stepsOf(store: Store, { carePlan, tasks }: LivePlan): Promise<Set<string | undefined>> {
  const taken = await Promise.all(
    (carePlan?.activity ?? []).map(({ reference }) => readResource(store, 'Task', idOf(reference, 'Task'))),
  );
  return new Set([...tasks, ...taken.filter((task) => task !== undefined)].map((task) => followUpKey(task)?.step));
}
