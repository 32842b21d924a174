// How each type is pulled, decided from what the connection says, what the server can do and what is known of the product.
// Pure. docs/sync-spec.md#I29
import type { Capability } from '../../remote/capability.ts';
import type { Vendor } from '../../remote/vendors/vendor.ts';
import type { StreamStrategy } from '../checkpoint.ts';
import type { Connection, PullStrategy } from '../connections/settings.ts';

export interface PullPlan {
  readonly strategy: PullStrategy;
  /** For a roster: the search parameter that names the patient, or `id` when each linked resource is read by its id. */
  readonly by?: 'patient' | 'subject' | 'id';
  /** For a roster: the patient's search may be narrowed by `_lastUpdated`, so that quiet patients cost an empty answer. */
  readonly narrowed?: boolean;
  /** One clause for people. */
  readonly why: string;
}

/** @param unable what the server was found not to do, whatever it states */
export function choosePlan(
  connection: Pick<Connection, 'strategies'>,
  capability: Pick<Capability, 'supports' | 'searchable'>,
  vendor: Pick<Vendor, 'lastUpdatedNeedsPatient'>,
  type: string,
  unable: ReadonlySet<PullStrategy> = new Set(),
): PullPlan {
  const stated = capability.searchable(type, '_lastUpdated');
  const roster = rosterPlan(capability, type, stated && vendor.lastUpdatedNeedsPatient);
  const wish = connection.strategies?.[type];
  const why = 'the connection says so';
  if (wish === 'roster') return { ...(roster ?? { by: 'patient' }), strategy: 'roster', why };
  if (wish !== undefined) return { strategy: wish, why };
  if (capability.supports(type, 'history-type') && !unable.has('history'))
    return { strategy: 'history', why: 'the server keeps a history' };
  if (stated && !vendor.lastUpdatedNeedsPatient && !unable.has('search')) {
    return { strategy: 'search', why: 'the server finds what changed by _lastUpdated' };
  }
  return roster ?? { strategy: 'none', why: 'no-capability' };
}

function rosterPlan(
  capability: Pick<Capability, 'supports' | 'searchable'>,
  type: string,
  narrowed: boolean,
): PullPlan | undefined {
  const by = (['patient', 'subject'] as const).find((parameter) => capability.searchable(type, parameter));
  if (by && type !== 'Patient') {
    return { strategy: 'roster', by, narrowed, why: 'the server does not tell what changed, only what a patient has' };
  }
  if (!capability.supports(type, 'read')) return undefined;
  return {
    strategy: 'roster',
    by: 'id',
    why: 'the server does not tell what changed; linked ones are read one by one',
  };
}

/** What makes one stream of a type another: changing it starts from the beginning. docs/sync-spec.md#I5 */
export interface Stream {
  readonly strategy: StreamStrategy;
  readonly filter: string;
}

export function streamOf(
  {
    connection,
    remote,
  }: {
    readonly connection: Pick<Connection, 'patients'>;
    readonly remote: { readonly vendor: Pick<Vendor, 'required'> };
  },
  type: string,
  plan: PullPlan,
): Stream {
  const strategy = plan.strategy === 'none' ? 'search' : plan.strategy;
  const scope = connection.patients ?? { kind: 'linked' };
  const whose = scope.kind === 'linked' ? '' : scope.kind === 'group' ? `Group/${scope.id}` : scope.query;
  const conditions = strategy === 'roster' ? [plan.by ?? '', ...(remote.vendor.required[type] ?? [])] : [];
  return { strategy, filter: [whose, ...conditions].filter((part) => part !== '').join('&') };
}
