// Sends HL7 messages over MLLP and waits for each acknowledgement: the sandbox's hospital and the command line use it.
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { Fault } from '../../fault.ts';
import { createFrameDecoder, frameMessage } from './frames.ts';

export interface MllpTarget {
  readonly host: string;
  readonly port: number;
  /** For the connection and for each acknowledgement; 30 seconds when absent. */
  readonly timeoutMilliseconds?: number;
  /** Over TLS: whom to trust, and the certificate to show. */
  readonly tls?: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername'>;
}

export interface MllpClient {
  /**
   * Sends one message; resolves to the acknowledgement's ER7 text. One at a time: wait before sending the next.
   * @throws Fault unavailable | timeout
   */
  send(message: string | Uint8Array): Promise<string>;
  close(): void;
}

/** @throws Fault unavailable | timeout */
export async function connectMllp(target: MllpTarget): Promise<MllpClient> {
  const wait = target.timeoutMilliseconds ?? 30_000;
  const where = `${target.host}:${target.port}`;
  const to = { host: target.host, port: target.port, noDelay: true };
  const socket = target.tls ? connectTls({ ...to, ...target.tls }) : connect(to);
  // Kept for the socket's whole life: an error between two sends must not end the process; the next send reports it.
  socket.on('error', () => socket.destroy());
  await settle<void>(socket, wait, where, (resolve) => socket.once(target.tls ? 'secureConnect' : 'connect', resolve));
  const decoder = createFrameDecoder(1_048_576);
  return {
    send: (message) =>
      settle<string>(socket, wait, where, (resolve) => {
        const read = (chunk: Buffer) => {
          const frame = decoder.push(chunk)[0];
          if (!frame) return;
          socket.off('data', read);
          resolve(Buffer.from(frame.kind === 'too-long' ? frame.head : frame.bytes).toString('utf8'));
        };
        socket.on('data', read);
        socket.write(frameMessage(message));
      }),
    close: () => socket.destroySoon(),
  };
}

/** One message over its own connection. */
export async function sendMllp(target: MllpTarget, message: string | Uint8Array): Promise<string> {
  const client = await connectMllp(target);
  try {
    return await client.send(message);
  } finally {
    client.close();
  }
}

function settle<T>(
  socket: Socket,
  wait: number,
  where: string,
  start: (resolve: (value: T) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const finish = (act: () => void) => {
      clearTimeout(timer);
      socket.off('close', lost);
      act();
    };
    const lost = () => finish(() => reject(new Fault('unavailable', `The MLLP connection to ${where} was closed.`)));
    const timer = setTimeout(() => {
      finish(() => reject(new Fault('timeout', `No MLLP answer from ${where} within ${wait} ms.`)));
      socket.destroy();
    }, wait);
    if (socket.destroyed) return lost();
    socket.once('close', lost);
    start((value) => finish(() => resolve(value)));
  });
}
