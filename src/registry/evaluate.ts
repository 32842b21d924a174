// Brings one patient's memberships and risk assessments to what the rules say of the record as it is now. Doing it again
// changes nothing, so it does not matter how often, by whom, or for what reason it is done.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Group, Patient, Resource } from '@medplum/fhirtypes';
import { hasDied, mergedInto } from '../care/gone.ts';
import { keyOf, membershipId, nextMembership, statusOf } from '../care/panels/membership.ts';
import { type Panel, standingOn } from '../care/panels/panel.ts';
import type { RuleFacts, RuleQuery } from '../care/panels/rule.ts';
import { assessmentId, nextAssessment } from '../care/panels/score-assessment.ts';
import type { Scored, ScoringMethod } from '../care/panels/scoring-method.ts';
import { readResource } from '../care/stored.ts';
import { IDENTIFIER } from '../care/systems.ts';
import { asFault, FAULTS } from '../fault.ts';
import { parseExact } from '../fhir/exact-json.ts';
import type { Statement } from '../store/store.ts';
import { ACTOR, type Parts } from './parts.ts';
import { type ReadData, readerFor } from './patient-data.ts';

/** Somebody changed what was evaluated; it is evaluated anew this often. */
const ATTEMPTS = 4;

export interface Evaluation {
  /** Types of what has changed; rules that ask for none of them are left alone. Absent: all rules. */
  readonly types?: ReadonlySet<string> | undefined;
  /** For `alongside` of each commit. */
  readonly fence?: Statement;
}

/**
 * A patient whose record the rules cannot work with is passed over and told of in the log; others must not wait.
 * @returns how many resources were written
 * @throws Fault that is not the record's fault
 */
export async function evaluatePatient(parts: Parts, id: string, evaluation: Evaluation = {}): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    // SQLite answers at once, so that without a pause many patients in a row would let no request in between.
    await nextTurn();
    try {
      return await evaluateOnce(parts, id, evaluation);
    } catch (error) {
      const { retry } = FAULTS[asFault(error).kind];
      if (retry === 'conflict' && attempt < ATTEMPTS) continue;
      if (retry !== 'permanent' && retry !== 'conflict') throw error;
      parts.failed();
      parts.log.error({ err: error, patient: id }, 'the panels of a patient could not be evaluated');
      return 0;
    }
  }
}

async function evaluateOnce(parts: Parts, id: string, { types, fence }: Evaluation): Promise<number> {
  const { store, clock, zone, panels } = parts;
  const patient = await readResource(store, 'Patient', id);
  const when = { now: clock.now(), zone };
  const read = patient && isFollowed(patient) ? readerFor(parts, { patient, ...when }) : undefined;
  const facts = { patient: patient ?? { resourceType: 'Patient' as const, id }, ...when };
  const isTouched = ({ queries }: { queries: readonly RuleQuery[] }) =>
    !types || types.has('Patient') || queries.some(({ type }) => types.has(type));
  const memberships = await membershipsOf(parts, id);
  const scores = new Map<string, Scored | undefined>();
  const changed: Resource[] = [];

  for (const method of panels.methods) {
    const isNeeded = isTouched(method) || panels.panels.some((panel) => panel.method === method && isTouched(panel));
    if (!isNeeded) continue;
    const scored = await scoreWith(method, read, facts);
    scores.set(method.code, scored);
    const current = await readResource(store, 'RiskAssessment', assessmentId(method.code, id));
    const next = nextAssessment(method, id, current, scored, when);
    if (next) changed.push(next);
  }
  for (const panel of panels.panels) {
    if (!isTouched(panel) && !(panel.method && isTouched(panel.method))) continue;
    const current = memberships.get(panel.code);
    const scored = panel.method && scores.get(panel.method.code);
    const standing = await standOn(panel, statusOf(current) === 'on', scored, read, facts);
    const found = { ...standing, ...(scored ? { tier: scored.tier } : {}) };
    const next = nextMembership(panel, id, current, found, when);
    if (next) changed.push(next);
  }
  // Of panels that are no more.
  for (const [code, current] of memberships) {
    if (panels.panels.some((panel) => panel.code === code)) continue;
    const next = nextMembership(
      { code, title: current.name ?? code },
      id,
      current,
      { belongs: false, basis: [] },
      when,
    );
    if (next) changed.push(next);
  }
  await Promise.all(changed.map((resource) => commit(parts, resource, fence)));
  return changed.length;
}

/** Whom panels are for: neither the dead, nor records that were merged into another or are not in use. */
function isFollowed(patient: Patient): boolean {
  return patient.active !== false && !hasDied(patient) && !mergedInto(patient);
}

async function scoreWith(
  method: ScoringMethod,
  read: ReadData | undefined,
  facts: Omit<RuleFacts, 'data'>,
): Promise<Scored | undefined> {
  return read && method.score({ ...facts, data: await read(method.queries) });
}

async function standOn(
  panel: Panel,
  isOn: boolean,
  scored: Scored | undefined,
  read: ReadData | undefined,
  facts: Omit<RuleFacts, 'data'>,
) {
  if (!read) return { belongs: false, basis: [] };
  const data = await read([...(panel.method?.queries ?? []), ...panel.queries]);
  const given = scored ? { score: scored.total, tier: scored.tier } : {};
  return standingOn(panel, isOn, { ...facts, data, ...given });
}

/** By panel: of the panels that are, and of those that were. */
async function membershipsOf({ store, parse, panels }: Parts, patient: string): Promise<Map<string, Group>> {
  const ids = panels.panels.map(({ code }) => membershipId(code, patient));
  const member = new URLSearchParams({ member: `Patient/${patient}`, identifier: `${IDENTIFIER.panelMember}|` });
  const searches = [...(ids.length > 0 ? [`_id=${ids.join(',')}`] : []), member.toString()];
  const pages = await Promise.all(searches.map((search) => store.search(parse(`Group?${search}&_count=500`))));
  const groups = pages.flatMap(({ items }) => items.map(({ content }) => parseExact<Group>(content)));
  return new Map(
    groups.flatMap((group): [string, Group][] => {
      const key = keyOf(group);
      // One that somebody else made for the same patient is not ours to keep.
      const isOurs = key?.patient === patient && group.id === membershipId(key.panel, patient);
      return key && isOurs ? [[key.panel, group]] : [];
    }),
  );
}

/** Each by itself: a patient who is deleted leaves panels although nothing may refer to the record any more. */
async function commit({ store }: Parts, resource: Resource, fence?: Statement): Promise<void> {
  const version = resource.meta?.versionId;
  const alongside = fence ? [fence] : [];
  const known = version === undefined ? { ifAbsent: true } : { ifMatch: version };
  await store.commit(ACTOR, [{ op: 'update', resource, ...known }], alongside);
}
