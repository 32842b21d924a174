// What stands in front of Baton in these tests: a proxy that lets the application's origin ask, because application and
// server are on different ports, as they are on different hosts in life.
import { createServer, type IncomingMessage, type Server, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface InFront {
  readonly base: string;
  close(): Promise<void>;
}

/** @param target where Baton listens; asked at each request @param origin the application's */
export async function openInFront(target: () => string, origin: () => string): Promise<InFront> {
  const server = createServer((request, response) => {
    const cors = { 'access-control-allow-origin': origin(), vary: 'Origin' };
    if (request.method === 'OPTIONS') {
      const allowed = { 'access-control-allow-headers': 'authorization, content-type, accept' };
      response.writeHead(204, { ...cors, ...allowed, 'access-control-allow-methods': 'GET, POST' }).end();
      return;
    }
    const { hostname, port } = new URL(target());
    const { method, url: path, headers } = request;
    const onward = send({ hostname, port, method, path, headers }, (answer: IncomingMessage) => {
      const { 'cross-origin-resource-policy': _, ...rest } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, { ...rest, ...(headers.origin === undefined ? {} : cors) });
      answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end());
    request.pipe(onward);
  });
  return { base: await listen(server), close: () => stop(server) };
}

/** Resolves to the address. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
