// A client of /api/v1 for tests: JSON in and out, a fresh key for every command unless one is given.
import { randomUUID } from 'node:crypto';
import { type Answer, type Method, serve, type TestServer } from '../serve.ts';

export interface ApiExtras {
  readonly body?: object | string;
  readonly as?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Idempotency-Key; '' sends none. */
  readonly key?: string;
}

export interface ApiServer extends TestServer {
  /** Sends a request below `/api/v1`; with full access unless `as` gives another token. */
  api(method: Method, path: string, more?: ApiExtras): Promise<Answer>;
  /** PUTs resources as FHIR, in the order given. @throws when one is refused */
  put(
    ...resources: readonly { readonly resourceType: string; readonly id: string; readonly [name: string]: unknown }[]
  ): Promise<void>;
}

export async function serveApi(given?: Parameters<typeof serve>[0]): Promise<ApiServer> {
  const baton = await serve(given);
  return {
    ...baton,
    api(method, path, { body, as, headers, key } = {}) {
      const isCommand = method !== 'GET' && method !== 'HEAD';
      const sent = key ?? (isCommand ? randomUUID() : '');
      return baton.send(method, `/api/v1${path}`, {
        ...(body === undefined ? {} : { body }),
        ...(as === undefined ? {} : { as }),
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(sent === '' ? {} : { 'idempotency-key': sent }),
          ...headers,
        },
      });
    },
    async put(...resources) {
      for (const body of resources) {
        const answer = await baton.fhir('PUT', `/${body.resourceType}/${body.id}`, { body });
        if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`);
      }
    },
  };
}
