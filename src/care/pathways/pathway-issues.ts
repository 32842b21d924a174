// What keeps a PlanDefinition from being carried out, for who writes one.
import type { OperationOutcomeIssue, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { lookupIn } from '../apply/definition-source.ts';
import { readPathway } from '../apply/read-pathway.ts';
import { isDefinition, isForCases } from './pathway-library.ts';

/** @param others definitions that it may be made of; none for what is no pathway or can be carried out */
export function pathwayIssues(resource: Resource, others: readonly Resource[]): OperationOutcomeIssue[] {
  if (resource.resourceType !== 'PlanDefinition' || !isForCases(resource)) return [];
  try {
    readPathway(resource, lookupIn(others.filter(isDefinition)));
    return [];
  } catch (error) {
    if (error instanceof Fault && error.kind !== 'fault') return error.issues;
    throw error;
  }
}
