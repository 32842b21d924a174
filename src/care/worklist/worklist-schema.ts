// The worklist as an application asks for it and gets it.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { LinkedOut } from '../linked.ts';

const Reference = (description: string) => Type.Optional(Type.String({ format: 'reference', description }));

export const WorklistQuery = Type.Object(
  {
    mine: Type.Optional(Type.Boolean({ description: 'Tasks of the person who asks, and of their roles' })),
    owner: Reference('Whose: Practitioner/7 with their roles, or CareTeam/3, Organization/2, RelatedPerson/9…'),
    team: Reference('CareTeam/3: tasks of the team and of its present members'),
    patient: Reference('Patient/12'),
    case: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9\\-.]{1,64}$', description: 'Id: tasks of its plan' })),
    status: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'With commas between; what is open when absent' }),
    ),
    kind: Type.Optional(
      Type.String({ minLength: 1, maxLength: 500, description: 'Code of the task, CODE or SYSTEM|CODE' }),
    ),
    overdue: Type.Optional(
      Type.Boolean({ description: 'true: past its deadline; false: its deadline is still to come' }),
    ),
    dueBefore: Type.Optional(Type.String({ format: 'date-or-time', description: 'With a deadline before' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
    after: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000, description: '`next` of the page before' })),
  },
  { additionalProperties: false },
);
export type WorklistQuery = Static<typeof WorklistQuery>;

export const WorkItem = Type.Object({
  id: Type.String(),
  version: Type.String(),
  task: LinkedOut,
  kind: Type.Optional(Coded),
  description: Type.Optional(Type.String()),
  status: Type.String(),
  businessStatus: Type.Optional(Coded),
  priority: Type.String(),
  owner: Type.Optional(LinkedOut),
  patient: Type.Optional(LinkedOut),
  case: Type.Optional(Type.String({ description: 'Id of the case' })),
  plan: Type.Optional(LinkedOut),
  start: Type.Optional(Type.String()),
  due: Type.Optional(Type.String()),
  overdue: Type.Boolean(),
  verbs: Type.Array(Type.String(), { description: 'What may be done with it now' }),
});
export type WorkItem = Static<typeof WorkItem>;

export const Worklist = Type.Object({ items: Type.Array(WorkItem), next: Type.Optional(Type.String()) });
export type Worklist = Static<typeof Worklist>;
