// Application acknowledgements of messages that were only accepted: written to the connection when they come, in whatever order,
// while it stands.
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { Later } from '../take-in.ts';

/** So many messages of a connection may wait for theirs before the next is read. */
const MOST = 1_000;

export interface LaterAnswers {
  /** Resolves when the next message may be read. */
  add(later: Later): Promise<void>;
  /** Resolves when all are written, the connection has ended, or none came for so long. */
  settled(milliseconds: number): Promise<void>;
  /** Nothing more is written. */
  forget(): void;
}

/** Whether the server is closing is asked so often, in milliseconds. */
const ASKED = 1_000;

interface LaterOptions {
  readonly write: (text: string) => Promise<void>;
  readonly closing: () => boolean;
  readonly log: Logger;
}

export function laterAnswers(socket: Socket, { write, closing, log }: LaterOptions): LaterAnswers {
  const waiting = new Map<Later, Promise<void>>();
  const gone = new Promise<void>((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once('close', resolve);
  });
  /** Whether one was written, or the connection ended, within the time. */
  const next = async (milliseconds: number): Promise<boolean> => {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    let came = true;
    const timer = setTimeout(() => {
      came = false;
      resolve();
    }, milliseconds);
    await Promise.race([...waiting.values(), gone, late]);
    clearTimeout(timer);
    return came;
  };
  return {
    async add(later) {
      const written = later.answer
        .then((text) => (text === undefined || socket.destroyed ? undefined : write(text)))
        .catch((error) => log.warn({ err: error }, 'MLLP connection failed'))
        .finally(() => waiting.delete(later));
      waiting.set(later, written);
      while (waiting.size >= MOST && !socket.destroyed && !closing()) await next(ASKED);
    },
    async settled(milliseconds) {
      while (waiting.size > 0 && !socket.destroyed && (await next(milliseconds)));
    },
    forget() {
      for (const { forget } of waiting.keys()) forget();
    },
  };
}
