// Whether a change goes out as something else, and as what: where the server has no door for the type itself, the
// connection or else the vendor file names another one. docs/projections.md
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { type ProjectionTarget, pushes } from '../connections/settings.ts';
import type { RunContext } from '../context.ts';
import { canPush } from '../push/dependencies.ts';

/** Types that can be put into words. */
const SOURCES = new Set(['CarePlan', 'Goal', 'Task']);

/**
 * Undefined when the resource goes as itself, or not at all.
 * @param isLinked whether a copy of the resource itself is there already
 */
export function projectionTarget(context: RunContext, type: string, isLinked: boolean): ProjectionTarget | undefined {
  const { capability, connection, remote } = context;
  if (!SOURCES.has(type) || !pushes(connection, type)) return undefined;
  if (canPush(context, type) || (isLinked && capability.supports(type, 'update'))) return undefined;
  const target = connection.projections?.[type] ?? remote.vendor.projections?.[type];
  if (target === undefined || !capability.supports(target, 'create')) return undefined;
  return target === 'ServiceRequest' && type !== 'Task' ? undefined : target;
}

/** A request says what is to be done in a code; a task that has none is told in words. Undefined where neither goes. */
export function fittingTarget(
  { capability }: RunContext,
  target: ProjectionTarget,
  body: JsonObject,
): ProjectionTarget | undefined {
  if (target !== 'ServiceRequest' || body.code !== undefined) return target;
  return capability.supports('Communication', 'create') ? 'Communication' : undefined;
}
