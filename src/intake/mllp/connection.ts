// One MLLP connection: frames in, acknowledgements out, in order; and what is not waited for.
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { Receipt } from '../take-in.ts';
import { createFrameDecoder, type Frame, type FrameDecoder, frameMessage } from './frames.ts';
import { type LaterAnswers, laterAnswers } from './later-answers.ts';

export interface Connection {
  readonly socket: Socket;
  /** A message is worked on. */
  busy: boolean;
}

export interface ConnectionLimits {
  /** Bytes a message may have; 1 MiB when absent. */
  readonly maxBytes: number;
  /** A connection on which nothing comes for so long is closed; 10 minutes when absent. */
  readonly idleMilliseconds: number;
  /** A message that takes longer to come is not waited for, however steadily it drips; one minute when absent. */
  readonly frameMilliseconds: number;
  /** After 0x1C, for the 0x0D that some senders forget; 250 ms when absent. */
  readonly graceMilliseconds: number;
}

interface ConnectionOptions extends ConnectionLimits {
  readonly receive: (bytes: Uint8Array) => Promise<Receipt>;
  readonly refuseTooLong: (head: Uint8Array, limit: number) => Promise<Receipt>;
  readonly keepCut?: (bytes: Uint8Array) => Promise<void>;
  readonly log: Logger;
}

/** A frame this many times longer than the limit is not waited for: the connection is closed without an answer. */
const ENDLESS = 32;

/** Serves until the sender or the server closes; never rejects. */
export async function serveConnection(
  connection: Connection,
  options: ConnectionOptions,
  closing: () => boolean,
): Promise<void> {
  const { socket } = connection;
  const { log, maxBytes } = options;
  const decoder = createFrameDecoder(maxBytes);
  const later = laterAnswers(socket, { write: (text) => write(socket, text, options), closing, log });
  const answer = (frame: Frame) => answerFrame(socket, frame, options, later);
  const watch = watchFrames(decoder, connection, options, answer);
  socket.setTimeout(options.idleMilliseconds, () => {
    if (!connection.busy) socket.destroy();
  });
  try {
    // Reading waits while a message is worked on, so a fast sender is slowed down by TCP instead of filling memory.
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      connection.busy = true;
      watch.pause();
      await watch.settled();
      const frames = decoder.push(chunk);
      for (const frame of frames) {
        if (closing() || socket.destroyed) break;
        await answer(frame);
      }
      connection.busy = false;
      if (closing() || decoder.pending > ENDLESS * maxBytes) break;
      watch.look(frames.length > 0);
    }
  } catch (error) {
    log.warn({ err: error }, 'MLLP connection failed');
  } finally {
    watch.stop();
    await watch.settled();
    const last = decoder.end();
    // The sender closed its side right after the message.
    if (last) await answer(last).catch((error) => log.warn({ err: error }, 'MLLP connection failed'));
    if (!closing()) await later.settled(options.frameMilliseconds);
    later.forget();
    if (decoder.ignored > 0) log.info({ bytes: decoder.ignored }, 'MLLP bytes outside frames were ignored');
    socket.destroySoon();
  }
}

/** Ends the wait for a frame: for its last byte, or for the rest of it. */
function watchFrames(
  decoder: FrameDecoder,
  connection: Connection,
  options: ConnectionOptions,
  answer: (frame: Frame) => Promise<void>,
) {
  const { socket } = connection;
  let whole: NodeJS.Timeout | undefined;
  let grace: NodeJS.Timeout | undefined;
  let ending: Promise<void> | undefined;
  const finish = () => {
    const frame = decoder.end();
    if (!frame) return;
    clearTimeout(whole);
    whole = undefined;
    connection.busy = true;
    ending = answer(frame)
      .catch((error) => options.log.warn({ err: error }, 'MLLP connection failed'))
      .finally(() => {
        connection.busy = false;
      });
  };
  const giveUp = () => {
    options.log.warn({ milliseconds: options.frameMilliseconds }, 'MLLP message did not come to its end in time');
    socket.destroy();
  };
  return {
    /** After every chunk. A frame has its time from when it began, however often something of it comes. */
    look(completed: boolean) {
      if (completed || decoder.pending === 0) {
        clearTimeout(whole);
        whole = undefined;
      }
      if (decoder.pending === 0) return;
      whole ??= setTimeout(giveUp, options.frameMilliseconds);
      if (decoder.isEnded) grace = setTimeout(finish, options.graceMilliseconds);
    },
    pause() {
      clearTimeout(grace);
    },
    stop() {
      clearTimeout(grace);
      clearTimeout(whole);
    },
    settled: async () => ending,
  };
}

async function answerFrame(
  socket: Socket,
  frame: Frame,
  options: ConnectionOptions,
  later: LaterAnswers,
): Promise<void> {
  const { log, maxBytes } = options;
  switch (frame.kind) {
    case 'message': {
      const receipt = await options.receive(frame.bytes);
      await writeAll(socket, receipt, options);
      return receipt.later && later.add(receipt.later);
    }
    case 'too-long':
      log.warn({ length: frame.length }, 'MLLP message is longer than the limit');
      return writeAll(socket, await options.refuseTooLong(frame.head, maxBytes), options);
    case 'cut':
      log.warn({ bytes: frame.bytes.length }, 'MLLP message was not ended; nothing of it was stored');
      return options.keepCut?.(frame.bytes);
  }
}

async function writeAll(socket: Socket, { ack, answers = [ack] }: Receipt, limits: ConnectionLimits): Promise<void> {
  for (const each of answers) await write(socket, each, limits);
}

/** Who does not take answers is waited for as long as for a message. */
function write(socket: Socket, ack: string, { frameMilliseconds }: ConnectionLimits): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error('An answer was not taken.')), frameMilliseconds);
    socket.write(frameMessage(ack), (error) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve();
    });
  });
}
