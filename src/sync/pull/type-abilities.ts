// What can be done with a type on a server, by what the server says and the connection asks for.
import type { Capability } from '../../remote/capability.ts';
import type { Vendor } from '../../remote/vendors/vendor.ts';
import type { Connection, ProjectionTarget, PullStrategy } from '../connections/settings.ts';
import { choosePlan } from './strategy.ts';

/** How changes of a type can go out as the type itself. */
export type PushWay = 'create-and-update' | 'update-only' | 'create-only' | 'none';

export interface TypeAbilities {
  readonly read: boolean;
  readonly search: boolean;
  readonly create: boolean;
  readonly update: boolean;
  readonly delete: boolean;
  readonly conditionalCreate: boolean;
  /** Our identifier can be searched for, so an unanswered create can be looked for. */
  readonly identifierSearch: boolean;
  /** Updates carry If-Match. */
  readonly guardedUpdates: boolean;
  /** Search parameters that pulling needs, of those the server has. */
  readonly searchBy: readonly string[];
  readonly pull: PullStrategy;
  /** Only what is linked is read, one by one: nothing new comes in. A Patient is found by who is in scope. */
  readonly onlyLinked: boolean;
  readonly push: PushWay;
  /** What goes out instead, where `push` is not enough: as the connection or else the vendor file says, or as the connection could say. */
  readonly projection?: { readonly as: ProjectionTarget; readonly isChosen: boolean; readonly isTaken: boolean };
}

const PULLED_BY = ['_lastUpdated', 'patient', 'subject', 'identifier'];

export function abilitiesOf(
  connection: Pick<Connection, 'strategies' | 'projections'>,
  capability: Capability,
  vendor: Pick<Vendor, 'lastUpdatedNeedsPatient' | 'projections'>,
  type: string,
): TypeAbilities {
  const can = (interaction: Parameters<Capability['supports']>[1]) => capability.supports(type, interaction);
  const push = can('create')
    ? can('update')
      ? 'create-and-update'
      : 'create-only'
    : can('update')
      ? 'update-only'
      : 'none';
  const plan = choosePlan(connection, capability, vendor, type);
  const chosen = connection.projections?.[type] ?? vendor.projections?.[type];
  const as = chosen ?? 'DocumentReference';
  const isTaken = capability.supports(as, 'create');
  const needsProjection = push === 'none' || push === 'update-only';
  const isOffered = chosen !== undefined || (PROJECTED.has(type) && isTaken);
  return {
    read: can('read'),
    search: can('search-type'),
    create: can('create'),
    update: can('update'),
    delete: can('delete'),
    conditionalCreate: capability.conditionalCreate(type),
    identifierSearch: capability.searchable(type, 'identifier'),
    guardedUpdates: capability.guardsUpdates(type),
    searchBy: PULLED_BY.filter((parameter) => capability.searchable(type, parameter)),
    pull: plan.strategy,
    onlyLinked: plan.by === 'id' && type !== 'Patient',
    push,
    ...(needsProjection && isOffered ? { projection: { as, isChosen: chosen !== undefined, isTaken } } : {}),
  };
}

/** Types that Baton can make readable for a server that does not take them. */
const PROJECTED = new Set(['CarePlan', 'Goal', 'Task']);
