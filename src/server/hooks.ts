// /hooks/{connection}: where the Subscriptions of remotes notify Baton. Who has the secret of the hook may, and who has a
// token with baton/intake. What is sent says only what to look at; a 202 means that this is written down.
// https://hl7.org/fhir/R4/subscription.html
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import { decideDoor } from '../access/decide.ts';
import type { FailedAttempts } from '../access/failed-attempts.ts';
import { Fault } from '../fault.ts';
import type { Json } from '../fhir/canonical-json.ts';
import { parseReceived } from '../fhir/received-json.ts';
import type { Hints } from '../sync/hints/hints.ts';
import { networkOf, originOf } from './address.ts';
import { setGrant } from './grant-of.ts';

export interface HookParts {
  readonly hints: Hints;
  readonly access: Access;
  /** Absent: failures are not counted. */
  readonly attempts?: FailedAttempts | undefined;
}

const MOST_BYTES = 2 * 1024 * 1024;
const MOST_SECRET = 1_024;

export async function serveHooks(server: FastifyInstance, parts: HookParts): Promise<void> {
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // Servers send FHIR under many media types, and an empty body under any.
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: MOST_BYTES }, (_request, body, done) =>
      done(null, body),
    );
    const config = { open: true, interaction: 'hint', action: 'E' } as const;
    for (const url of ['/hooks/:connection', '/hooks/:connection/*']) {
      scope.route({
        method: ['POST', 'PUT', 'DELETE'],
        url,
        config,
        // Before the body is read: nobody makes Baton read megabytes without being known.
        onRequest: (request) => authenticate(request, parts),
        async handler(request, reply) {
          const { connection = '', '*': path = '' } = request.params as Record<string, string>;
          const receipt = await parts.hints.accept(connection, { path, body: bodyOf(request.body) });
          return reply.code(202).send(receipt);
        },
      });
    }
  });
}

async function authenticate(request: FastifyRequest, { hints, access, attempts }: HookParts): Promise<void> {
  const { connection = '' } = request.params as Record<string, string>;
  const secret = request.headers['x-baton-hook'];
  const address = networkOf(request);
  attempts?.check('token', { address });
  try {
    if (typeof secret === 'string') {
      if (secret.length <= MOST_SECRET && hints.opens(connection, secret)) return;
      throw new Fault('unauthenticated', 'The secret in X-Baton-Hook does not open this hook.');
    }
    const grant = await access.authenticate(request.headers.authorization);
    setGrant(request, { ...grant, actor: { ...grant.actor, ...originOf(request) } });
    decideDoor(grant, 'baton/intake');
  } catch (error) {
    if (error instanceof Fault && error.kind === 'unauthenticated') attempts?.failed('token', { address });
    throw error;
  }
}

/** undefined when there is none. @throws Fault invalid */
function bodyOf(body: unknown): Json | undefined {
  if (typeof body !== 'string' || body.trim() === '') return undefined;
  try {
    return parseReceived(body) as Json;
  } catch {
    throw new Fault('invalid', 'The body is not JSON. A notification may also have no body at all.', {
      code: 'structure',
    });
  }
}
