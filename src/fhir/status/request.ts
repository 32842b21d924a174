// What may become of a plan or an order: the request pattern, which CarePlan and ServiceRequest share. `unknown` is where a
// record of elsewhere may begin, never where one may go. https://hl7.org/fhir/R4/request.html#statemachine
import type { CarePlan, ServiceRequest } from '@medplum/fhirtypes';
import type { Machine, Successors } from './machine.ts';

type RequestStatus = CarePlan['status'] & ServiceRequest['status'];

const SUCCESSORS: Successors<RequestStatus> = {
  draft: ['active', 'on-hold', 'revoked', 'entered-in-error'],
  active: ['on-hold', 'completed', 'revoked', 'entered-in-error'],
  'on-hold': ['active', 'completed', 'revoked', 'entered-in-error'],
  completed: ['entered-in-error'],
  revoked: ['entered-in-error'],
  unknown: ['draft', 'active', 'on-hold', 'completed', 'revoked', 'entered-in-error'],
  'entered-in-error': [],
};

export const CARE_PLAN: Machine<CarePlan['status']> = {
  name: 'CarePlan',
  element: 'status',
  source: 'https://hl7.org/fhir/R4/request.html#statemachine',
  successors: SUCCESSORS,
};

export const SERVICE_REQUEST: Machine<ServiceRequest['status']> = {
  name: 'ServiceRequest',
  element: 'status',
  source: 'https://hl7.org/fhir/R4/request.html#statemachine',
  successors: SUCCESSORS,
};
