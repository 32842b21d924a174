// What may become of a Goal. How far it has been reached is another element, and goes up and down as the patient does.
// https://hl7.org/fhir/R4/goal.html#statemachine
import type { Goal } from '@medplum/fhirtypes';
import type { Machine } from './machine.ts';

type GoalStatus = Goal['lifecycleStatus'];

export const GOAL: Machine<GoalStatus> = {
  name: 'Goal',
  element: 'lifecycleStatus',
  source: 'https://hl7.org/fhir/R4/goal.html#statemachine',
  successors: {
    proposed: ['planned', 'accepted', 'active', 'rejected', 'cancelled', 'entered-in-error'],
    planned: ['accepted', 'active', 'on-hold', 'completed', 'rejected', 'cancelled', 'entered-in-error'],
    accepted: ['planned', 'active', 'on-hold', 'completed', 'cancelled', 'entered-in-error'],
    active: ['on-hold', 'completed', 'cancelled', 'entered-in-error'],
    'on-hold': ['planned', 'accepted', 'active', 'completed', 'cancelled', 'entered-in-error'],
    completed: ['entered-in-error'],
    cancelled: ['entered-in-error'],
    rejected: ['entered-in-error'],
    'entered-in-error': [],
  },
};
