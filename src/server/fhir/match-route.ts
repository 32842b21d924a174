// Which route of the table a path inside a Bundle means: the same choice Fastify makes for a request.
import { Fault } from '../../fault.ts';
import { checkPath } from './check-path.ts';
import type { FhirContext } from './context.ts';
import type { FhirRoute, Method, RouteTable } from './route.ts';

export interface Matched {
  readonly route: FhirRoute;
  readonly params: Readonly<Record<string, string>>;
}

type MatchRoute = (method: Method, segments: readonly string[], isType: FhirContext['isType']) => Matched;

/**
 * @returns a function from method and decoded path segments to route and parameters; it throws Fault not-found for a path
 * that is not there and not-allowed for a method that the path does not have
 */
export function createMatcher(table: RouteTable): MatchRoute {
  const patterns = Object.entries(table)
    .map(([url, routes]) => ({ parts: url.split('/').filter(Boolean), routes }))
    // A literal part is a better match than a parameter in its place.
    .sort((a, b) => literals(b.parts) - literals(a.parts));
  return (method, segments, isType) => {
    const found = patterns.find(({ parts }) => fits(parts, segments));
    if (!found) throw new Fault('not-found', 'There is nothing at this URL.', { code: 'not-supported' });
    const params = Object.fromEntries(
      found.parts.flatMap((part, index) => (part.startsWith(':') ? [[part.slice(1), segments[index] ?? '']] : [])),
    );
    checkPath(params, isType);
    const route = found.routes[method];
    if (!route) throw new Fault('not-allowed', `${method} does not apply to this URL.`);
    return { route, params };
  };
}

function fits(parts: readonly string[], segments: readonly string[]): boolean {
  return (
    parts.length === segments.length && parts.every((part, index) => part.startsWith(':') || part === segments[index])
  );
}

const literals = (parts: readonly string[]) => parts.filter((part) => !part.startsWith(':')).length;
