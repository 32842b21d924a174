// What a row of the table of routes is.
import type { RouteFacts } from '../route-facts.ts';
import type { FhirHandler } from './context.ts';

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type Method = (typeof METHODS)[number];

export interface FhirRoute {
  readonly facts: RouteFacts;
  readonly handler: FhirHandler;
}

/** Path below the base to what answers each method. */
export type RouteTable = Readonly<Record<string, Partial<Record<Method, FhirRoute>>>>;

export function route(facts: RouteFacts, handler: FhirHandler): FhirRoute {
  return { facts, handler };
}

export const JSON_TYPES = ['application/fhir+json', 'application/json', 'text/json'];
export const PATCH_TYPES = ['application/json-patch+json', ...JSON_TYPES];
export const FORM_TYPE = 'application/x-www-form-urlencoded';
