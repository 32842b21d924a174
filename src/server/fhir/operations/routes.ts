// Paths of the operations, made from their table. https://hl7.org/fhir/R4/operations.html#executing
import { Fault } from '../../../fault.ts';
import type { FhirHandler } from '../context.ts';
import type { FhirRoute, Method } from '../route.ts';
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
  for (const [path, alike] of Map.groupBy(operations.flatMap(places), ({ path }) => path)) {
    const { code, affectsState } = (alike[0] as Place).operation;
    const handler = forTheirTypes(alike.map(({ operation }) => operation));
    const interaction = `$${code}`;
    const post: FhirRoute = { facts: { interaction, action: 'E', takes }, handler };
    const get: FhirRoute = { facts: { interaction, action: 'E' }, handler };
    routes[path] = affectsState ? { POST: post } : { GET: get, POST: post };
  }
  return routes;
}

interface Place {
  readonly path: string;
  readonly operation: Operation;
}

function places(operation: Operation): Place[] {
  return operation.at.map((level) => ({ path: `${PATHS[level]}/$${operation.code}`, operation }));
}

function exceptFor({ code, handler, notFor = [] }: Operation): FhirHandler {
  if (notFor.length === 0) return handler;
  return async (context, request) => {
    const { type } = request.params;
    if (type === undefined || !notFor.includes(type)) return handler(context, request);
    throw new Fault('not-found', `$${code} is not an operation of ${type}.`, { code: 'not-supported' });
  };
}

/** Several types may have an operation of one name, each its own: `$validate-code` of CodeSystem and of ValueSet. */
function forTheirTypes(operations: readonly Operation[]): FhirHandler {
  const [only] = operations;
  if (only && !only.types) return exceptFor(only);
  const types = operations.flatMap((operation) => operation.types ?? []);
  return async (context, request) => {
    const { type } = request.params;
    const fitting = type === undefined ? only : operations.find((operation) => operation.types?.includes(type));
    if (fitting) return fitting.handler(context, request);
    throw new Fault('not-found', `$${only?.code} is not an operation of ${type}; it is one of ${types.join(', ')}.`, {
      code: 'not-supported',
    });
  };
}
