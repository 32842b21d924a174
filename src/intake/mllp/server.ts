// HL7 over MLLP: a TCP listener that hands every framed message to `receive` and writes the acknowledgement back, one
// message at a time per connection, in order. https://www.hl7.org/documentcenter/public/wg/inm/mllp_transport_specification.PDF
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { Fault } from '../../fault.ts';
import { MAX_MESSAGE_BYTES, type Receipt } from '../receive.ts';
import { createFrameDecoder, type Frame, frameMessage } from './frames.ts';

export interface MllpServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly receive: (bytes: Uint8Array) => Promise<Receipt>;
  /** Answers a message that was too long to be read, from its first bytes. */
  readonly refuseTooLong: (head: Uint8Array, limit: number) => Promise<string>;
  /** Bytes a message may have; 1 MiB when absent. */
  readonly maxBytes?: number;
  /** A connection on which nothing comes for so long is closed; 10 minutes when absent. */
  readonly idleMilliseconds?: number;
  /** 100 when absent. */
  readonly maxConnections?: number;
  readonly log: Logger;
}

export interface MllpServer {
  readonly port: number;
  /** Stops listening, finishes and answers the messages in flight, closes the connections. */
  close(): Promise<void>;
}

interface Connection {
  readonly socket: Socket;
  busy: boolean;
}

/** A frame this many times longer than the limit is not waited for: the connection is closed without an answer. */
const ENDLESS = 32;

/** @throws Fault unavailable when the port cannot be had */
export async function startMllpServer(options: MllpServerOptions): Promise<MllpServer> {
  const connections = new Map<Connection, Promise<void>>();
  let closing = false;
  // Half-open: a sender may close its side after its last message and still gets its answer.
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => {
    const connection = { socket, busy: false };
    const served = serve(connection, options, () => closing).finally(() => connections.delete(connection));
    connections.set(connection, served);
  });
  server.maxConnections = options.maxConnections ?? 100;
  const port = await listen(server, options);
  return {
    port,
    async close() {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of connections.keys()) if (!connection.busy) connection.socket.destroy();
      await Promise.all(connections.values());
      await closed;
    },
  };
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

async function serve(connection: Connection, options: MllpServerOptions, closing: () => boolean): Promise<void> {
  const { socket } = connection;
  const { log } = options;
  const limit = options.maxBytes ?? MAX_MESSAGE_BYTES;
  const decoder = createFrameDecoder(limit);
  socket.setTimeout(options.idleMilliseconds ?? 600_000, () => {
    if (!connection.busy) socket.destroy();
  });
  try {
    // Reading waits while a message is worked on, so a fast sender is slowed down by TCP instead of filling memory.
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      connection.busy = true;
      for (const frame of decoder.push(chunk)) {
        if (closing() || socket.destroyed) break;
        await write(socket, await answer(frame, options));
      }
      connection.busy = false;
      if (closing() || decoder.pending > ENDLESS * limit) break;
    }
  } catch (error) {
    log.warn({ err: error }, 'MLLP connection failed');
  } finally {
    const { bytes, frames } = decoder.ignored;
    const truncated = frames + (decoder.pending > 0 ? 1 : 0);
    if (truncated > 0)
      log.warn({ truncated }, 'MLLP connection ended with incomplete messages, nothing of them was stored');
    if (bytes > 0) log.info({ bytes }, 'MLLP bytes outside frames were ignored');
    socket.destroySoon();
  }
}

async function answer(frame: Frame, options: MllpServerOptions): Promise<string> {
  if (frame.kind === 'message') return (await options.receive(frame.bytes)).ack;
  options.log.warn({ length: frame.length }, 'MLLP message is longer than the limit');
  return options.refuseTooLong(frame.head, options.maxBytes ?? MAX_MESSAGE_BYTES);
}

function write(socket: Socket, ack: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(frameMessage(ack), (error) => (error ? reject(error) : resolve()));
  });
}
