// What the audit trail wants to know of a request that oidc-provider answers: the door knows it, the library does not.
import type { IncomingMessage } from 'node:http';

export interface RequestOrigin {
  readonly requestId: string;
  readonly address: string;
}

const origins = new WeakMap<IncomingMessage, RequestOrigin>();

export function setOrigin(request: IncomingMessage, origin: RequestOrigin): void {
  origins.set(request, origin);
}

export const originOf = (request: IncomingMessage): Partial<RequestOrigin> => origins.get(request) ?? {};
