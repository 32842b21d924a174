// A TCP proxy in front of PostgreSQL that cuts a connection off at the moment a test chooses.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CutOffProxy {
  /** The given URL, through the proxy. */
  readonly url: string;
  /**
   * From the next bytes of a client that contain `text` on: `before` passes them on no more, `after` passes them on but no
   * answer to them, `for good` takes no connections after that either. In any case the client loses its connection. Once.
   */
  cutAt(text: string, when: Cut): void;
  /** How often it was cut. */
  readonly cuts: number;
  /** Refuses connections, or takes them again. */
  refuse(refused: boolean): void;
  close(): Promise<void>;
}

type Cut = 'before' | 'after' | 'for good';

export async function startCutOffProxy(target: string): Promise<CutOffProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let cut: { readonly text: string; readonly when: Cut } | undefined;
  let cuts = 0;
  let isRefusing = false;
  const server = createServer((client) => {
    if (isRefusing) return void client.destroy();
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.end();
      });
    }
    upstream.on('data', (bytes) => client.write(bytes));
    client.on('data', (bytes) => {
      if (!cut || !bytes.includes(cut.text)) return void upstream.write(bytes);
      const { when } = cut;
      cut = undefined;
      cuts += 1;
      upstream.removeAllListeners('data');
      if (when === 'before') return void client.destroy();
      if (when === 'for good') isRefusing = true;
      // The server gets everything and answers; then the client is cut off without having heard of it.
      upstream.write(bytes);
      upstream.once('data', () => client.destroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: own } = server.address() as AddressInfo;
  const url = new URL(target);
  url.port = String(own);
  return {
    url: url.href,
    get cuts() {
      return cuts;
    },
    cutAt(text, when) {
      cut = { text, when };
    },
    refuse(refused) {
      isRefusing = refused;
      if (refused) for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
