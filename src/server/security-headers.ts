// Headers that tell a browser to do nothing with the answers: an API serves no pages. Helmet chooses them once, because
// they are the same for every answer. https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';

const OPTIONS = {
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  xFrameOptions: { action: 'deny' },
  crossOriginResourcePolicy: { policy: 'same-origin' },
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
} as const;

/** @param baseUrl asked when the server is ready: what is reached by https says that it always will be */
export function sendSecurityHeaders(server: FastifyInstance, baseUrl: () => string): void {
  let headers: Record<string, string> = {};
  server.addHook('onReady', async () => {
    headers = chosenHeaders(baseUrl().startsWith('https:'));
  });
  server.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}

function chosenHeaders(secure: boolean): Record<string, string> {
  // Routes whose answers may be kept say so themselves.
  const headers: Record<string, string> = { 'cache-control': 'no-store' };
  const response = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value;
    },
    removeHeader: () => {},
  };
  helmet({ ...OPTIONS, strictTransportSecurity: secure && { maxAge: 31_536_000, includeSubDomains: false } })(
    {} as IncomingMessage,
    response as unknown as ServerResponse,
    (error) => {
      if (error) throw error;
    },
  );
  return headers;
}
