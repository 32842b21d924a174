// POST /oauth/token. One kindness before the library sees the request: applications without a secret often renew their
// access without saying who they are (fhirclient does), which RFC 6749 (6) lets them, because the token itself says it.
import { IncomingMessage } from 'node:http';
import type { FastifyError, FastifyInstance } from 'fastify';
import type { AuthorizationServer } from '../../access/oauth/authorization-server.ts';
import { ENDPOINTS } from '../../access/oauth/provider.ts';
import { isConfidential } from '../../access/oauth/registration.ts';
import { admit } from './client-attempts.ts';
import { handOver } from './hand-over.ts';
import type { OauthParts } from './parts.ts';

const FORM = 'application/x-www-form-urlencoded';
/** As much as the library itself would read. */
const MAX_BYTES = 56 * 1024;

export async function serveToken(app: FastifyInstance, parts: OauthParts): Promise<void> {
  const { server, baseUrl } = parts;
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(FORM, { parseAs: 'buffer', bodyLimit: MAX_BYTES }, (_request, body, done) =>
      done(null, body),
    );
    // The library says that it wants a form.
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    scope.setErrorHandler((error: FastifyError, _request, reply) => {
      if (error.statusCode === undefined || error.statusCode >= 500) throw error;
      const answer = { error: 'invalid_request', error_description: 'the form is too large or damaged' };
      return reply.code(error.statusCode).header('cache-control', 'no-store').send(answer);
    });
    scope.post(ENDPOINTS.token, { config: { open: true } }, async (request, reply) => {
      if (!admit(parts, request, reply)) return reply;
      const { body } = request;
      if (!Buffer.isBuffer(body)) return handOver(server.running(), request, reply, baseUrl(), 'json');
      const form = request.headers.authorization === undefined ? await withClient(server, body) : body;
      return handOver(server.running(), request, reply, baseUrl(), 'json', replay(request.raw, form));
    });
  });
}

/** The form, with the public client that a refresh token was given to when it names none. */
async function withClient(server: AuthorizationServer, body: Buffer): Promise<Buffer> {
  const form = new URLSearchParams(body.toString('latin1'));
  const says = ['client_id', 'client_assertion', 'client_secret'].some((name) => form.has(name));
  if (says || form.get('grant_type') !== 'refresh_token') return body;
  const token = await server.running().provider.RefreshToken.find(form.get('refresh_token') ?? '');
  const client = token?.clientId === undefined ? undefined : await server.clients.find(token.clientId);
  if (!client || isConfidential(client)) return body;
  return Buffer.concat([body, Buffer.from(`&client_id=${encodeURIComponent(client.clientId)}`)]);
}

/** The request once more, with a body that can still be read. */
function replay(raw: IncomingMessage, body: Buffer): IncomingMessage {
  const again = new IncomingMessage(raw.socket);
  again.method = raw.method;
  again.url = raw.url;
  again.httpVersion = raw.httpVersion;
  again.headers = { ...raw.headers, 'content-length': String(body.length), 'transfer-encoding': undefined };
  // Else Node takes its end for a connection that broke, and closes it.
  again.complete = true;
  again.push(body);
  again.push(null);
  return again;
}
