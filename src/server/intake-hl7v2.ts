// POST /intake/hl7v2: one ER7 message in, its HL7 acknowledgement out.
import type { FastifyInstance } from 'fastify';
import { Fault } from '../fault.ts';
import { ER7_MEDIA_TYPES, httpStatus } from '../intake/http-status.ts';
import type { Intake } from '../intake/receive.ts';

export async function serveIntake(server: FastifyInstance, intake: Intake): Promise<void> {
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // Bytes, not text: the message itself says in MSH-18 how it is encoded.
    scope.addContentTypeParser([...ER7_MEDIA_TYPES], { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    const config = { door: 'baton/intake', interaction: 'intake', action: 'E' } as const;
    scope.post('/intake/hl7v2', { config }, async (request, reply) => {
      if (!Buffer.isBuffer(request.body) || request.body.length === 0) {
        throw new Fault('invalid', `The body must be one HL7 v2 message as ${ER7_MEDIA_TYPES.join(' or ')}.`);
      }
      const { code, ack } = await intake.receive(request.body, 'http');
      return reply.code(httpStatus(code)).header('content-type', ER7_MEDIA_TYPES[0]).send(ack);
    });
  });
}
