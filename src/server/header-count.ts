// A request with hundreds of headers is nobody's. Node would leave out silently what goes beyond its own limit, so that
// Baton and a proxy in front of it might see different requests; it is refused instead.
import type { FastifyInstance } from 'fastify';
import { Fault } from '../fault.ts';

const MOST = 100;

export function limitHeaders(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    // Names and values, one after the other.
    if (request.raw.rawHeaders.length <= 2 * MOST) done();
    else done(new Fault('too-many-headers', `A request may have at most ${MOST} headers.`));
  });
}
