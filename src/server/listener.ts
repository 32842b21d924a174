// Node's server below Fastify: plain or TLS, and how long and how much it takes before a request is one. Clients that send
// a byte now and then must not be able to hold connections for ever.
import { createServer as createHttp, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps, type Server as TlsServer } from 'node:https';
import { refuseWrongCertificates, type Tls, tlsOptions } from './tls.ts';

/** Bytes of request line and headers; a token of 8 kB fits. */
const HEADER_BYTES = 16_384;
/** Longest time for the headers alone. */
const HEADERS_MS = 20_000;
/** Proxies commonly keep idle connections for 60 seconds and must be the ones to close them. */
const KEEP_ALIVE_MS = 72_000;

/** @param requestTimeout milliseconds for a whole request; twice as long with no byte either way ends the connection */
export function createListener(handler: RequestListener, requestTimeout: number, tls?: Tls): Server | TlsServer {
  const options = {
    maxHeaderSize: HEADER_BYTES,
    requestTimeout,
    headersTimeout: Math.min(HEADERS_MS, requestTimeout),
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Node looks for late requests only so often.
    connectionsCheckingInterval: Math.min(5_000, requestTimeout / 4),
  };
  const server = tls ? createHttps({ ...options, ...tlsOptions(tls) }, handler) : createHttp(options, handler);
  if (tls) refuseWrongCertificates(server as TlsServer, tls);
  server.setTimeout(2 * requestTimeout);
  return server;
}
