// What a push of a resource would do where the server takes something else instead of it. docs/sync-spec.md#I22 docs/projections.md

import { type JsonObject, sameJson } from '../../fhir/canonical-json.ts';
import { elementDifferences } from '../../fhir/element-diff.ts';
import { saysAbsent } from '../../remote/absence.ts';
import type { StoredVersion } from '../../store/store.ts';
import { comparable, jsonOf } from '../body.ts';
import type { ProjectionTarget } from '../connections/settings.ts';
import type { RunContext } from '../context.ts';
import { overlaid, projectedBody, withoutData } from '../projections/projection-body.ts';
import { planProjection, type ToSend } from '../projections/projection-plan.ts';
import { literalOf, nextNumber, type Projection, readProjections } from '../projections/projection-row.ts';
import { canBeWithdrawn } from '../projections/projection-withdraw.ts';
import { NOTHING, type Verdict } from './preview-verdict.ts';

/**
 * @param stored deleted, too
 * @param asks whether what stands there is read now
 */
export async function previewProjected(
  run: RunContext,
  stored: StoredVersion,
  asked: ProjectionTarget,
  asks: boolean,
): Promise<Verdict> {
  const { type, id } = stored;
  const rows = await readProjections(run.store, run.connection.name, { type, id });
  const plan = await planProjection(run, stored, rows, asked);
  switch (plan.action) {
    case 'nothing':
      return plan.why === 'no-capability'
        ? { ...NOTHING, outcome: 'no-capability' }
        : { ...NOTHING, outcome: 'unchanged', detail: 'There is nothing to tell.' };
    case 'withdraw':
      return withdrawn(run, plan.current, 'It is gone here, or was a mistake');
    case 'carry': {
      const told = toldIn(plan.plans);
      return plan.current ? withdrawn(run, plan.current, told) : would(`${told}.`);
    }
    case 'move':
      return { ...withdrawn(run, plan.other, moved(plan.target, plan.plans)), outcome: 'would-project' };
    case 'wait':
      return would('It cannot go yet: its patient is not known there.');
    case 'leave':
    case 'send':
      return toSend(run, stored, rows, plan, asks);
  }
}

const toldIn = (plans: readonly string[]) =>
  `It is told in the document of ${plans.map((plan) => `CarePlan/${plan}`).join(', ')}`;

const moved = (target: ProjectionTarget, plans: readonly string[]) =>
  plans.length > 0 ? toldIn(plans) : `It goes as ${target} then`;

const would = (detail: string): Verdict => ({ ...NOTHING, outcome: 'would-project', detail });

function withdrawn(run: RunContext, current: Projection | undefined, why: string): Verdict {
  if (!current) return { ...NOTHING, outcome: 'unchanged', detail: `${why}; it was never told there.` };
  const remote = literalOf(current);
  return canBeWithdrawn(run, current)
    ? { ...NOTHING, outcome: 'would-withdraw', remote, detail: `${why}; ${remote} is withdrawn there.` }
    : { ...NOTHING, outcome: 'no-capability', remote, detail: `${why}; ${remote} cannot be withdrawn there.` };
}

async function toSend(
  run: RunContext,
  { type, id }: StoredVersion,
  rows: readonly Projection[],
  { action, target, current, collected, wanted }: ToSend,
  asks: boolean,
): Promise<Verdict> {
  if (collected.isPatientWithheld) return would('It does not go: its patient is withheld.');
  if (current && action === 'leave') {
    return { ...NOTHING, outcome: 'unchanged', comparedWith: 'last-known', remote: literalOf(current) };
  }
  const place = { connection: run.connection.name, source: { type, id }, target };
  if (current && run.capability.supports(target, 'update')) {
    const body = withoutData(await projectedBody(run, wanted, { ...place, number: current.number }));
    return asks ? over(run, type, body, current) : lastKnown(type, body, current);
  }
  const replaces = current && literalOf(current);
  const fresh = { ...place, number: nextNumber(rows), replaces };
  const body = withoutData(await projectedBody(run, { ...wanted, status: 'current' }, fresh));
  return anew(type, body, current);
}

function anew(type: string, body: JsonObject, replaces: Projection | undefined): Verdict {
  const goesAs = `The server takes no ${type}; it goes as ${body.resourceType}`;
  return {
    ...would(replaces ? `${goesAs} and takes the place of ${literalOf(replaces)}.` : `${goesAs}.`),
    ...(replaces ? { remote: literalOf(replaces), comparedWith: 'last-known' } : {}),
    body,
    differences: elementDifferences([replaces && comparable(replaces.sent), comparable(body)]),
  };
}

/** In place, on top of what is there now. */
async function over(run: RunContext, type: string, ours: JsonObject, current: Projection): Promise<Verdict> {
  const { target, remoteId } = current;
  const remote = literalOf(current);
  const reply = await run.client.read(target, String(remoteId));
  if (!reply.ok && saysAbsent(reply.failure)) {
    const isOver = ours.status === 'superseded';
    if (isOver) return { ...NOTHING, outcome: 'unchanged', remote, detail: `${remote} is not there any more.` };
    return { ...would(`${remote} is not there any more; it is made anew.`), remote };
  }
  if (!reply.ok || !reply.value.body) {
    const known = lastKnown(type, ours, current);
    return reply.ok ? known : { ...known, detail: `${known.detail} The remote was not read: ${reply.failure.message}` };
  }
  const theirs = withoutData(jsonOf(reply.value.body));
  return inPlace(type, ours, theirs, current, 'remote');
}

const lastKnown = (type: string, ours: JsonObject, current: Projection) =>
  inPlace(type, ours, current.sent, current, 'last-known');

function inPlace(
  type: string,
  ours: JsonObject,
  theirs: JsonObject,
  current: Projection,
  comparedWith: 'remote' | 'last-known',
): Verdict {
  const remote = literalOf(current);
  const body = overlaid(ours, { ...theirs, id: String(current.remoteId) }, current.sent);
  if (sameJson(comparable(body), comparable(theirs))) return { ...NOTHING, outcome: 'unchanged', remote, comparedWith };
  return {
    ...would(`The server takes no ${type}; ${remote} is brought up to date.`),
    remote,
    comparedWith,
    body,
    differences: elementDifferences([comparable(theirs), comparable(body)]),
  };
}
