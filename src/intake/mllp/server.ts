// HL7 over MLLP: a TCP or TLS listener that hands every framed message to `receive` and writes the acknowledgement back, one
// message at a time per connection, in order. https://www.hl7.org/documentcenter/public/wg/inm/mllp_transport_specification.PDF
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type SecureContextOptions, type Server as TlsServer } from 'node:tls';
import type { Logger } from 'pino';
import { Fault } from '../../fault.ts';
import { MAX_MESSAGE_BYTES } from '../receive.ts';
import type { Receipt } from '../take-in.ts';
import { type Connection, type ConnectionLimits, serveConnection } from './connection.ts';

export interface MllpServerOptions extends Partial<ConnectionLimits> {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly receive: (bytes: Uint8Array) => Promise<Receipt>;
  /** Answers a message that was too long to be read, from its first bytes. */
  readonly refuseTooLong: (head: Uint8Array, limit: number) => Promise<Receipt>;
  /** Keeps the beginning of a message that never ended; nobody waits for an answer. */
  readonly keepCut?: (bytes: Uint8Array) => Promise<void>;
  /** 100 when absent. */
  readonly maxConnections?: number | undefined;
  /** From one address; 20 when absent. */
  readonly maxPerAddress?: number | undefined;
  /** TLS, with certificates of senders when a `ca` is there. */
  readonly tls?: (() => MllpCertificates) | undefined;
  readonly log: Logger;
}

/** PEM texts; without `ca` senders need no certificate. */
export interface MllpCertificates extends Pick<SecureContextOptions, 'cert' | 'key'> {
  readonly ca?: string;
}

export interface MllpServer {
  readonly port: number;
  /** New connections get the certificates as they are now. @throws Error, and nothing changes, when they are not good */
  renewCertificates(): void;
  /** Stops listening, finishes and answers the messages in flight, closes the connections. */
  close(): Promise<void>;
}

/** Half-open: a sender may close its side after its last message and still gets its answer. */
const SOCKET = { allowHalfOpen: true, noDelay: true, keepAlive: true } as const;
const OLDEST = 'TLSv1.2';
/** Who does not complete the handshake is not waited for. */
const HANDSHAKE_MS = 10_000;

/** @throws Fault unavailable when the port cannot be had */
export async function startMllpServer(options: MllpServerOptions): Promise<MllpServer> {
  const connections = new Map<Connection, Promise<void>>();
  const perAddress = new Map<string, number>();
  const { tls, log, maxPerAddress = 20 } = options;
  const limits = limitsOf(options);
  let closing = false;

  const accept = (socket: Socket) => {
    socket.on('error', () => socket.destroy());
    if (socket.destroyed) return;
    const connection = { socket, busy: false };
    const served = serveConnection(connection, { ...options, ...limits }, () => closing).finally(() => {
      connections.delete(connection);
    });
    connections.set(connection, served);
  };

  const server = tls ? createSecure(tls, accept, log) : createServer(SOCKET, accept);
  server.maxConnections = options.maxConnections ?? 100;
  // Also those whose handshake never ends.
  const open = new Set<Socket>();
  server.prependListener('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const count = (perAddress.get(address) ?? 0) + 1;
    // Without a handler an error of a socket that is turned away would end the process.
    socket.on('error', () => socket.destroy());
    if (closing || count > maxPerAddress) {
      log.warn({ limit: maxPerAddress }, 'MLLP connection refused: one address has too many');
      socket.destroy();
      return;
    }
    perAddress.set(address, count);
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left > 0) perAddress.set(address, left);
      else perAddress.delete(address);
    });
  });
  const port = await listen(server, options);
  return {
    port,
    renewCertificates() {
      if (tls) (server as TlsServer).setSecureContext({ ...tls(), minVersion: OLDEST });
    },
    async close() {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of connections.keys()) if (!connection.busy) connection.socket.destroy();
      await Promise.all(connections.values());
      // Answers have been written; of what is left nobody waits for more.
      for (const socket of open) socket.destroySoon();
      await closed;
    },
  };
}

function limitsOf(options: Partial<ConnectionLimits>): ConnectionLimits {
  const { maxBytes, idleMilliseconds, frameMilliseconds, graceMilliseconds } = options;
  return {
    maxBytes: maxBytes ?? MAX_MESSAGE_BYTES,
    idleMilliseconds: idleMilliseconds ?? 600_000,
    frameMilliseconds: frameMilliseconds ?? 60_000,
    graceMilliseconds: graceMilliseconds ?? 250,
  };
}

function createSecure(tls: () => MllpCertificates, accept: (socket: Socket) => void, log: Logger): TlsServer {
  const certificates = tls();
  const asked = certificates.ca !== undefined;
  const server = createTlsServer(
    {
      ...certificates,
      ...SOCKET,
      minVersion: OLDEST,
      requestCert: asked,
      rejectUnauthorized: asked,
      handshakeTimeout: HANDSHAKE_MS,
    },
    accept,
  );
  server.on('tlsClientError', ({ code }: NodeJS.ErrnoException, socket) => {
    log.warn({ code }, 'MLLP handshake failed');
    socket.destroy();
  });
  return server;
}

function listen(server: Server, { host, port, log }: MllpServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error) =>
      reject(new Fault('unavailable', `Cannot listen for MLLP on ${host}:${port}: ${cause.message}`, { cause }));
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      server.on('error', (error) => log.error({ err: error }, 'MLLP listener failed'));
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}
