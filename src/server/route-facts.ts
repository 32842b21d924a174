// What a route says about itself, for authentication, audit, metrics and the log.
import type { FastifyRequest } from 'fastify';
import type { Door } from '../access/scopes.ts';

export interface RouteFacts {
  /** FHIR restful-interaction code, or a name of our own: `ops`, `intake`, `token`. Absent: audited only when refused. */
  readonly interaction?: string;
  /** AuditEvent.action. */
  readonly action?: 'C' | 'R' | 'U' | 'D' | 'E';
  /** Resource type that the id in the path is of, where the path does not say. */
  readonly type?: string;
  /** Answers without a token. */
  readonly open?: boolean;
  /** Not counted by rate limits: health checks, and the sandbox's own server. */
  readonly unlimited?: boolean;
  /** Scope of Baton's own that opens the route. FHIR routes decide by resource scopes instead. */
  readonly door?: Door;
  /** Media types the body may have. */
  readonly takes?: readonly string[];
}

declare module 'fastify' {
  // Plugins declare what they read of a route's config; without this TypeScript would take that for all there can be.
  interface FastifyContextConfig extends RouteFacts {}
}

export function factsOf(request: FastifyRequest): RouteFacts {
  return (request.routeOptions.config ?? {}) as RouteFacts;
}
