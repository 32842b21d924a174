// `/sandbox/clock`: what time it is in the sandbox, and moving on.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { asFault, Fault, outcomeOf } from '../fault.ts';
import { type ClockMover, readMove } from './clock-mover.ts';

export interface ClockRouteOptions {
  readonly mover: ClockMover;
  /** True for a bearer token that Baton accepts; called with undefined when none was sent. */
  readonly verify: (token: string | undefined) => Promise<boolean>;
}

export async function mountClockRoutes(app: FastifyInstance, { mover, verify }: ClockRouteOptions): Promise<void> {
  await app.register(async (scope) => {
    // Asked for below, by the same rule for reading and moving.
    scope.addHook('onRoute', (route) => {
      route.config = Object.assign({}, route.config, { open: true });
    });
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    scope.setErrorHandler((error, _request, reply) => {
      const fault = asFault(error);
      return reply.code(fault.status).send(outcomeOf(fault));
    });
    scope.addHook('preHandler', async (request, reply) => {
      if (await verify(bearer(request))) return;
      reply.header('www-authenticate', 'Bearer');
      throw new Fault('unauthenticated', "This needs one of Baton's bearer tokens.");
    });
    const answer = (now: Temporal.Instant) => ({ now: now.toString({ fractionalSecondDigits: 3 }) });
    scope.get('/sandbox/clock', async () => answer(mover.now()));
    scope.post('/sandbox/clock', async (request) =>
      answer(await mover.moveTo(readMove(parse(String(request.body ?? '')), mover.now()))),
    );
  });
}

const bearer = (request: FastifyRequest) => /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Fault('invalid', 'The body is not JSON. Send for example {"advance":"P2DT3H"}.', { cause });
  }
}
