// `/sandbox/clock`: what time it is in the sandbox, and moving on.
import type { FastifyInstance } from 'fastify';
import { asFault, Fault, outcomeOf } from '../fault.ts';
import { type ClockMover, readMove } from './clock-mover.ts';

/** Baton's own door asks for the token, decides and audits, as for every other route. */
const READ = { config: { door: 'baton/sandbox', interaction: 'sandbox-clock', action: 'R' } } as const;
const MOVE = { config: { door: 'baton/sandbox', interaction: 'sandbox-clock', action: 'E' } } as const;

export async function mountClockRoutes(app: FastifyInstance, mover: ClockMover): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    scope.setErrorHandler((error, _request, reply) => {
      const fault = asFault(error);
      if (fault.kind === 'unauthenticated') reply.header('www-authenticate', 'Bearer');
      return reply.code(fault.status).send(outcomeOf(fault));
    });
    const answer = (now: Temporal.Instant) => ({ now: now.toString({ fractionalSecondDigits: 3 }) });
    scope.get('/sandbox/clock', READ, async () => answer(mover.now()));
    scope.post('/sandbox/clock', MOVE, async (request) =>
      answer(await mover.moveTo(readMove(parse(String(request.body ?? '')), mover.now()))),
    );
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Fault('invalid', 'The body is not JSON. Send for example {"advance":"P2DT3H"}.', { cause });
  }
}
