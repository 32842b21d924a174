// Servers for tests that answer whatever a test says, byte by byte when it must be.
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import type { Certificate } from './certificate.ts';

export interface RawServer {
  /** Without trailing slash. */
  readonly url: string;
  close(): Promise<void>;
}

export async function serveHttp(listener: RequestListener): Promise<RawServer> {
  const server = createHttp(listener);
  return listening(server, 'http', () => server.closeAllConnections());
}

export async function serveHttps({ cert, key }: Certificate, listener: RequestListener): Promise<RawServer> {
  const server = createHttps({ cert, key }, listener);
  return listening(server, 'https', () => server.closeAllConnections());
}

/** @param answer called for each connection once something has arrived on it */
export async function serveBytes(answer: (socket: Socket) => void): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const server = createTcp((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  return listening(server, 'http', () => {
    for (const socket of sockets) socket.destroy();
  });
}

async function listening(server: Server, scheme: string, cutOff: () => void): Promise<RawServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      cutOff();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
