// A door with TLS in front of a server without: what comes through it is passed on as bytes.
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';

export interface TlsFront {
  /** `https://127.0.0.1:PORT`. */
  readonly origin: string;
  /** Subjects of the certificates that clients have shown. */
  readonly shown: string[];
  close(): Promise<void>;
}

/** @param target `http://127.0.0.1:PORT` */
export async function startTlsFront(target: string, options: TlsOptions): Promise<TlsFront> {
  const shown: string[] = [];
  const open = new Set<TLSSocket>();
  const server = createServer(options, (outside) => {
    open.add(outside);
    const subject = outside.getPeerX509Certificate()?.subject;
    if (subject !== undefined) shown.push(subject);
    const inside = connect(Number(new URL(target).port), '127.0.0.1');
    outside.pipe(inside).pipe(outside);
    const end = () => {
      outside.destroy();
      inside.destroy();
    };
    outside.on('error', end).on('close', end);
    inside.on('error', end).on('close', end);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `https://127.0.0.1:${port}`,
    shown,
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}
