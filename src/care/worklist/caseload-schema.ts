// Caseloads as an application gets them.
import Type, { type Static } from 'typebox';
import { CaseView } from '../cases/case-schema.ts';
import { LinkedOut } from '../linked.ts';

const numbers = {
  manager: LinkedOut,
  active: Type.Integer({ description: 'Active cases' }),
  onHold: Type.Integer(),
  waiting: Type.Integer({ description: 'Planned, or on the waiting list' }),
  overdue: Type.Integer({ description: 'Open tasks of the manager past their deadline' }),
  dueToday: Type.Integer({ description: 'Open tasks of the manager that are due today' }),
  capacity: Type.Optional(Type.Integer({ description: 'Active cases at most, where the role says so' })),
  free: Type.Optional(Type.Integer({ description: 'Capacity that is left; below zero: too many' })),
};

export const Caseload = Type.Object(numbers);
export type Caseload = Static<typeof Caseload>;

export const CaseloadQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
    after: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000, description: '`next` of the page before' })),
  },
  { additionalProperties: false },
);
export type CaseloadQuery = Static<typeof CaseloadQuery>;

export const Caseloads = Type.Object({ items: Type.Array(Caseload), next: Type.Optional(Type.String()) });
export type Caseloads = Static<typeof Caseloads>;

export const CaseloadOfManager = Type.Object({
  ...numbers,
  items: Type.Array(
    Type.Object({
      case: CaseView,
      open: Type.Integer({ description: 'Open tasks of the case with this manager' }),
      overdue: Type.Integer(),
      nextDue: Type.Optional(Type.String()),
    }),
  ),
  next: Type.Optional(Type.String()),
});
export type CaseloadOfManager = Static<typeof CaseloadOfManager>;
