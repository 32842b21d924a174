// The simulated external EHR behind HTTP: its FHIR endpoint, its token endpoint and its knobs, inside Baton's Fastify.
import { FhirRouter } from '@medplum/fhir-router';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { JWK } from 'jose';
import type { Clock } from '../../clock.ts';
import { asFault, Fault, outcomeOf } from '../../fault.ts';
import { httpDate } from '../../fhir/http-date.ts';
import { ehrCapability } from './capability.ts';
import { addHistoryRoutes } from './history.ts';
import { openJournal } from './journal.ts';
import { applyKnobs, dropsAnswer, quietKnobs, turnKnobs } from './knobs.ts';
import { plain } from './outcomes.ts';
import { JournaledRepository } from './repository.ts';
import { type Answer, answerTo } from './respond.ts';
import { createTokenServer, smartConfiguration } from './tokens.ts';
import { loadVocabulary } from './vocabulary.ts';

export interface SandboxEhrOptions {
  /** Name in the paths: `/sandbox/ehr/NAME/R4`. */
  readonly name: 'hapi';
  /** Public base URL of Baton; a function because the port may be known only after listening. */
  readonly baseUrl: () => string;
  /** Journal file; undefined forgets on exit. */
  readonly journalPath: string | undefined;
  /** `now` stamps versions, `real` limits tokens. */
  readonly clock: Clock;
  /** The client that may get tokens here. */
  readonly client: { readonly clientId: string; readonly jwks: { readonly keys: readonly JWK[] } };
  /** True for a bearer token that Baton itself accepts; called with undefined when none was sent. */
  readonly verify: (token: string | undefined) => Promise<boolean>;
}

export interface SandboxEhr {
  /** FHIR base URL. */
  fhirBase(): string;
  /** A token for somebody who works at the hospital. */
  staffToken(): string;
  /** After Fastify has closed. */
  close(): Promise<void>;
}

const FHIR_JSON = 'application/fhir+json; charset=utf-8';
/** Bytes of a request; a transaction of a few hundred entries fits. */
const MAX_BODY = 16 * 1024 * 1024;

/**
 * Adds the routes under `/sandbox/ehr/NAME`. Nothing here passes through Baton's own handlers or store: to the rest of
 * Baton this is a foreign server that happens to share a port.
 */
export async function mountSandboxEhr(app: FastifyInstance, options: SandboxEhrOptions): Promise<SandboxEhr> {
  loadVocabulary();
  const root = `/sandbox/ehr/${options.name}`;
  const fhirBase = () => `${options.baseUrl()}${root}/R4`;
  const tokenUrl = () => `${options.baseUrl()}${root}/oauth/token`;
  const { journal, versions } = await openJournal(options.journalPath);
  const repository = await JournaledRepository.open(journal, versions, () => options.clock.now());
  const router = new FhirRouter();
  addHistoryRoutes(router, repository);
  const tokens = createTokenServer({
    clientId: options.client.clientId,
    keys: options.client.jwks,
    tokenUrl,
    real: () => options.clock.real(),
  });
  const knobs = quietKnobs();
  const started = options.clock.now().toString({ smallestUnit: 'second' });

  const authorize = async (request: FastifyRequest): Promise<boolean> => {
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    return (token !== undefined && tokens.accepts(token)) || options.verify(token);
  };
  const requireToken = async (request: FastifyRequest, reply: FastifyReply) => {
    if (await authorize(request)) return;
    reply.header('www-authenticate', 'Bearer');
    throw new Fault('unauthenticated', `This needs a bearer token, from ${tokenUrl()} or from Baton.`);
  };

  const handleFhir = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const verdict = await applyKnobs(knobs);
    if (verdict) {
      if (verdict.retryAfter !== undefined) reply.header('retry-after', verdict.retryAfter);
      return send(reply, { status: verdict.status, headers: {}, body: plain('transient', 'Refused by the knobs.') });
    }
    const path = request.url.slice(`${root}/R4`.length);
    const answer = await answerTo({ router, repository, base: fhirBase() }, request, path);
    if (dropsAnswer(knobs, reply)) return reply;
    return send(reply, answer);
  };
  const send = (reply: FastifyReply, { status, headers, body }: Answer): FastifyReply =>
    reply
      .code(status)
      .headers({ ...headers, date: httpDate(options.clock.now()) })
      .type(FHIR_JSON)
      .send(body === undefined ? '' : JSON.stringify(body));

  await app.register(
    async (scope) => {
      // A foreign server asks for its own tokens and has its own limits, so Baton's door lets everything through to it.
      scope.addHook('onRoute', (route) => {
        route.config = Object.assign({}, route.config, { open: true, unlimited: true });
      });
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: MAX_BODY }, (_request, body, done) =>
        done(null, body),
      );
      scope.setErrorHandler((error, _request, reply) => {
        const fault = asFault(error);
        return reply
          .code(fault.status)
          .type(FHIR_JSON)
          .send(JSON.stringify(outcomeOf(fault)));
      });
      scope.get('/R4/metadata', async (_request, reply) =>
        send(reply, { status: 200, headers: {}, body: ehrCapability(fhirBase(), started) }),
      );
      scope.get('/R4/.well-known/smart-configuration', async () => smartConfiguration(tokenUrl()));
      scope.post('/oauth/token', async (request, reply) => {
        const { status, body } = await tokens.issue(new URLSearchParams(String(request.body ?? '')));
        return reply.code(status).header('cache-control', 'no-store').send(body);
      });
      scope.get('/knobs', { preHandler: requireToken }, async () => knobs);
      scope.put('/knobs', { preHandler: requireToken }, async (request) => {
        turnKnobs(knobs, parseBody(request.body));
        return knobs;
      });
      scope.all('/R4', { preHandler: requireToken }, handleFhir);
      scope.all('/R4/*', { preHandler: requireToken }, handleFhir);
    },
    { prefix: root },
  );
  return { fhirBase, staffToken: tokens.staffToken, close: () => repository.close() };
}

function parseBody(body: unknown): unknown {
  try {
    return JSON.parse(String(body ?? ''));
  } catch (cause) {
    throw new Fault('invalid', 'The body is not JSON.', { cause });
  }
}
