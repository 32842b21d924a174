// What a push of a resource would do where the server takes something else instead of it. docs/sync-spec.md#I22 docs/projections.md
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { elementDifferences } from '../../fhir/element-diff.ts';
import type { StoredVersion } from '../../store/store.ts';
import { comparable, jsonOf } from '../body.ts';
import type { ProjectionTarget } from '../connections/settings.ts';
import type { RunContext } from '../context.ts';
import { overlaid, withoutData } from '../projections/projection-body.ts';
import { plansAreDocuments, plansWith } from '../projections/projection-carrier.ts';
import { literalOf, type Projection } from '../projections/projection-row.ts';
import { previewProjection } from '../projections/projection-wanted.ts';
import { NOTHING, type Verdict } from './preview-verdict.ts';

export async function previewProjected(
  run: RunContext,
  stored: StoredVersion,
  target: ProjectionTarget,
): Promise<Verdict> {
  const { type, id } = stored;
  const plans = target === 'DocumentReference' && plansAreDocuments(run) ? await plansWith(run, type, id) : [];
  if (plans.length > 0) {
    const within = plans.map((plan) => `CarePlan/${plan.id}`).join(', ');
    return { ...NOTHING, outcome: 'would-project', detail: `It is told in the document of ${within}.` };
  }
  const preview = await previewProjection(run, stored, target);
  switch (preview.outcome) {
    case 'not-now': {
      const detail = 'It cannot go yet: its patient is not known there or withheld, or there is nothing to tell.';
      return { ...NOTHING, outcome: 'would-project', detail };
    }
    case 'unchanged':
      return { ...NOTHING, outcome: 'unchanged', comparedWith: 'last-known', remote: literalOf(preview.current) };
    case 'create':
      return projectedAnew(type, preview.body, preview.replaces);
    case 'update':
      return projectedOver(run, type, preview.body, preview.current);
  }
}

function projectedAnew(type: string, body: JsonObject, replaces: Projection | undefined): Verdict {
  const goesAs = `The server takes no ${type}; it goes as ${body.resourceType}`;
  return {
    ...NOTHING,
    outcome: 'would-project',
    ...(replaces ? { remote: literalOf(replaces), comparedWith: 'last-known' } : {}),
    detail: replaces ? `${goesAs} and takes the place of ${literalOf(replaces)}.` : `${goesAs}.`,
    body,
    differences: elementDifferences([replaces && comparable(replaces.sent), comparable(body)]),
  };
}

/** In place, on top of what is there now. */
async function projectedOver(run: RunContext, type: string, ours: JsonObject, current: Projection): Promise<Verdict> {
  const remote = literalOf(current);
  const reply = await run.client.read(current.target, String(current.remoteId));
  const read = reply.ok && reply.value.body ? withoutData(jsonOf(reply.value.body)) : undefined;
  const theirs = read ?? current.sent;
  const body = overlaid(ours, theirs);
  const unread = reply.ok ? '' : ` The remote was not read: ${reply.failure.message}`;
  return {
    ...NOTHING,
    outcome: 'would-project',
    remote,
    detail: `The server takes no ${type}; ${remote} is brought up to date.${unread}`,
    comparedWith: read ? 'remote' : 'last-known',
    body,
    differences: elementDifferences([comparable(theirs), comparable(body)]),
  };
}
