import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import * as fc from 'fast-check';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { connectMllp, sendMllp } from '../../src/intake/mllp/client.ts';
import { createFrameDecoder, frameMessage } from '../../src/intake/mllp/frames.ts';
import { type MllpServer, type MllpServerOptions, startMllpServer } from '../../src/intake/mllp/server.ts';

const log = pino({ level: 'silent' });
const text = (raw: Uint8Array) => Buffer.from(raw).toString();

describe('MLLP frames', () => {
  it('finds the same frames however the stream is cut', () => {
    const body = fc.uint8Array({ max: 255 }).map((raw) => raw.filter((byte) => byte !== 0x0b && byte !== 0x1c));
    fc.assert(
      fc.property(fc.array(body, { maxLength: 5 }), fc.array(fc.nat(30)), (messages, cuts) => {
        const stream = Buffer.concat(messages.map(frameMessage));
        const decoder = createFrameDecoder(1000);
        const found: string[] = [];
        let at = 0;
        for (const cut of [...cuts, stream.length]) {
          for (const frame of decoder.push(stream.subarray(at, at + cut))) {
            if (frame.kind === 'message') found.push(Buffer.from(frame.bytes).toString('hex'));
          }
          at += cut;
        }
        expect(found).toEqual(messages.map((message) => Buffer.from(message).toString('hex')));
        expect(decoder.ignored).toEqual({ bytes: 0, frames: 0 });
      }),
    );
  });

  it('ignores and counts what is outside frames, and a frame that begins again', () => {
    const decoder = createFrameDecoder(100);
    const frames = decoder.push(Buffer.from('noise\x0bcut off\x0bwhole\x1c\r\r\n'));
    expect(frames.map((frame) => frame.kind === 'message' && text(frame.bytes))).toEqual(['whole']);
    expect(decoder.ignored).toEqual({ bytes: 7, frames: 1 });
  });

  it('does not end a frame at 0x1C without 0x0D', () => {
    const decoder = createFrameDecoder(100);
    expect(decoder.push(Buffer.from('\x0ba\x1cb'))).toEqual([]);
    expect(decoder.pending).toBeGreaterThan(0);
    const [frame] = decoder.push(Buffer.from('\x1c\r'));
    expect(frame?.kind === 'message' && text(frame.bytes)).toBe('a\x1cb');
  });

  it('keeps only the head of a message over the limit, and the next one whole', () => {
    const decoder = createFrameDecoder(10);
    const frames = decoder.push(Buffer.concat([frameMessage('x'.repeat(9000)), frameMessage('ok')]));
    expect(frames).toMatchObject([{ kind: 'too-long', length: 9000 }, { kind: 'message' }]);
    expect(frames[0]?.kind === 'too-long' && frames[0].head.length).toBe(4096);
  });
});

describe('MLLP over a socket', () => {
  let server: MllpServer | undefined;
  let sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets = [];
    await server?.close();
    server = undefined;
  });

  const start = async (options: Partial<MllpServerOptions> = {}) => {
    const received: string[] = [];
    server = await startMllpServer({
      host: '127.0.0.1',
      port: 0,
      log,
      receive: async (raw) => {
        received.push(text(raw));
        return { code: 'AA', ack: `ack of ${text(raw)}` };
      },
      refuseTooLong: async (_, limit) => `over ${limit}`,
      ...options,
    });
    return { received, target: { host: '127.0.0.1', port: server.port } };
  };
  const open = async (target: { host: string; port: number }) => {
    const socket = connect({ ...target, noDelay: true });
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  const collect = async (socket: Socket, count: number) => {
    const decoder = createFrameDecoder(10_000_000);
    const answers: string[] = [];
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      for (const frame of decoder.push(chunk)) answers.push(text(frame.kind === 'message' ? frame.bytes : frame.head));
      if (answers.length >= count) break;
    }
    return answers;
  };

  it('answers two frames in one chunk, in order, one at a time', async () => {
    let running = 0;
    const { target } = await start({
      receive: async (raw) => {
        running += 1;
        expect(running).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return { code: 'AA', ack: text(raw) };
      },
    });
    const socket = await open(target);
    socket.write(Buffer.concat(['one', 'two', 'three'].map(frameMessage)));
    expect(await collect(socket, 3)).toEqual(['one', 'two', 'three']);
  });

  it('puts a frame together from pieces', async () => {
    const { target, received } = await start();
    const socket = await open(target);
    for (const piece of ['\x0bhel', 'lo', '\x1c', '\r']) {
      await new Promise<void>((resolve, reject) => socket.write(piece, (error) => (error ? reject(error) : resolve())));
    }
    expect(await collect(socket, 1)).toEqual(['ack of hello']);
    expect(received).toEqual(['hello']);
  });

  it('stores nothing of a frame that the connection cuts off, and closes it', async () => {
    const { target, received } = await start();
    const socket = await open(target);
    socket.end('\x0bhalf a mess');
    await once(socket.resume(), 'close');
    expect(received).toEqual([]);
    expect(await sendMllp(target, 'next')).toBe('ack of next');
  });

  it('answers a sender that closes its side right after the message', async () => {
    const { target } = await start();
    const socket = await open(target);
    socket.end(frameMessage('last words'));
    expect(await collect(socket, 1)).toEqual(['ack of last words']);
  });

  it('refuses 5 MB and takes the next message on the same connection', async () => {
    const { target, received } = await start();
    const client = await connectMllp(target);
    expect(await client.send(Buffer.alloc(5_000_000, 'A'))).toBe('over 1048576');
    expect(await client.send('small')).toBe('ack of small');
    expect(received).toEqual(['small']);
    client.close();
  });

  it('closes a connection on which nothing comes', async () => {
    const { target } = await start({ idleMilliseconds: 20 });
    const socket = await open(target);
    await once(socket.resume(), 'close');
  });

  it('finishes and answers what is in flight when it is closed', async () => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const { target } = await start({
      receive: async () => {
        entered.resolve();
        await gate.promise;
        return { code: 'AA', ack: 'done' };
      },
    });
    const idle = await open(target);
    const answer = sendMllp(target, 'slow');
    await entered.promise;
    const closed = server?.close();
    await once(idle.resume(), 'close');
    gate.resolve();
    expect(await answer).toBe('done');
    await closed;
    await expect(sendMllp(target, 'late')).rejects.toMatchObject({ kind: 'unavailable' });
    server = undefined;
  });

  it('says so when the port is taken', async () => {
    const { target } = await start();
    const again = startMllpServer({
      ...target,
      log,
      receive: async () => ({ code: 'AA', ack: '' }),
      refuseTooLong: async () => '',
    });
    await expect(again).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('gives up waiting for an answer that does not come', async () => {
    const { target } = await start({ receive: () => new Promise(() => {}) });
    const answer = sendMllp({ ...target, timeoutMilliseconds: 30 }, 'anybody?');
    await expect(answer).rejects.toMatchObject({ kind: 'timeout' });
    server = undefined;
  });
});
