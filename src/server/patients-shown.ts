// Where an answer tells the audit trail which patients it has shown, when what was read has said so.
import type { FastifyInstance, FastifyRequest } from 'fastify';

const KEY = 'patientsShown';

export function declarePatientsShown(server: FastifyInstance): void {
  server.decorateRequest(KEY, null);
}

export function setPatientsShown(request: FastifyRequest, patients: readonly string[]): void {
  request.setDecorator<readonly string[] | null>(KEY, patients);
}

export function patientsShown(request: FastifyRequest): readonly string[] | undefined {
  return request.getDecorator<readonly string[] | null>(KEY) ?? undefined;
}
