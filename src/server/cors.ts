// Pages of other origins: which may call, and what of an answer they may see. Tokens travel in a header that a page has to
// send itself, never in cookies, so credentials are never allowed. https://fetch.spec.whatwg.org/#http-cors-protocol
import cors, { type FastifyCorsOptions } from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { FHIR_PATH } from '../fhir/base-url.ts';

/** What tells what Baton is and holds no health data; `*` opens these to every origin. */
const DISCOVERY = [`${FHIR_PATH}/metadata`, `${FHIR_PATH}/.well-known/smart-configuration`, '/.well-known/'];
/** What an app in a browser needs. Operators' doors, intake and metrics are for no page. */
const FOR_APPS = [`${FHIR_PATH}/`, '/.well-known/', '/oauth/token', '/oauth/revoke', '/oauth/introspect'];

const ANSWER: FastifyCorsOptions = {
  credentials: false,
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  allowedHeaders: [
    ...['Authorization', 'Content-Type', 'Accept', 'Prefer', 'If-Match', 'If-None-Match', 'If-None-Exist'],
    ...['If-Modified-Since', 'X-Request-Id'],
  ],
  exposedHeaders: [
    ...['ETag', 'Location', 'Content-Location', 'Last-Modified', 'X-Request-Id', 'Retry-After', 'WWW-Authenticate'],
  ],
  maxAge: 600,
};

/** @param origins exact origins, and `*` for discovery; none leaves everything as it is */
export async function allowOrigins(server: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await server.register(cors, {
    delegator: (request, callback) => {
      callback(null, { ...ANSWER, origin: originFor(request, origins), preflight: isPreflight(request) });
    },
  });
}

/** What goes into Access-Control-Allow-Origin; false says nothing, which browsers take for no. */
function originFor(request: FastifyRequest, origins: readonly string[]): string | false {
  const { origin } = request.headers;
  const path = `${request.url.split('?')[0]}/`;
  const isIn = (places: readonly string[]) => places.some((place) => path.startsWith(place));
  if (origin !== undefined && origins.includes(origin) && origin !== '*' && isIn(FOR_APPS)) return origin;
  return origins.includes('*') && isIn(DISCOVERY) ? '*' : false;
}

/** Any other OPTIONS asks what a URL allows, and is answered by the route. */
const isPreflight = ({ method, headers }: FastifyRequest) =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
