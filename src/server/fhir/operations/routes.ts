// Paths of the operations, made from their table. https://hl7.org/fhir/R4/operations.html#executing
import { Fault } from '../../../fault.ts';
import type { FhirHandler } from '../context.ts';
import type { FhirRoute, Method } from '../routes.ts';
import type { Operation, OperationLevel } from './operation.ts';

const PATHS: Readonly<Record<OperationLevel, string>> = {
  system: '',
  type: '/:type',
  instance: '/:type/:id',
  version: '/:type/:id/_history/:version',
};

/** @param takes media types of a request body */
export function operationRoutes(
  operations: readonly Operation[],
  takes: readonly string[],
): Record<string, Partial<Record<Method, FhirRoute>>> {
  const routes: Record<string, Partial<Record<Method, FhirRoute>>> = {};
  for (const operation of operations) {
    const interaction = `$${operation.code}`;
    const handler = forItsTypes(operation);
    const post: FhirRoute = { facts: { interaction, action: 'E', takes }, handler };
    const get: FhirRoute = { facts: { interaction, action: 'E' }, handler };
    for (const level of operation.at) {
      routes[`${PATHS[level]}/$${operation.code}`] = operation.affectsState ? { POST: post } : { GET: get, POST: post };
    }
  }
  return routes;
}

function forItsTypes({ code, types, handler }: Operation): FhirHandler {
  if (!types) return handler;
  return async (context, request) => {
    const { type } = request.params;
    if (type === undefined || types.includes(type)) return handler(context, request);
    throw new Fault('not-found', `$${code} is not an operation of ${type}; it is one of ${types.join(', ')}.`, {
      code: 'not-supported',
    });
  };
}
