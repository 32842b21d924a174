import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import * as fc from 'fast-check';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { connectMllp, sendMllp } from '../../src/intake/mllp/client.ts';
import { createFrameDecoder, frameMessage } from '../../src/intake/mllp/frames.ts';
import { type MllpServer, type MllpServerOptions, startMllpServer } from '../../src/intake/mllp/server.ts';
import { makeCertificate } from '../support/certificate.ts';

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
        expect(decoder.ignored).toBe(0);
      }),
    );
  });

  it('counts what is outside frames, and tells of a frame that was not ended', () => {
    const decoder = createFrameDecoder(100);
    const frames = decoder.push(Buffer.from('noise\x0bcut off\x0bwhole\x1c\r\r\n'));
    expect(frames.map((frame) => [frame.kind, frame.kind === 'too-long' ? '' : text(frame.bytes)])).toEqual([
      ['cut', 'cut off'],
      ['message', 'whole'],
    ]);
    expect(decoder.ignored).toBe(7);
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

  it.each([
    ['the last byte is missing and another begins', '\x0bone\x1c\x0btwo\x1c\r', ['message one', 'message two']],
    ['the last byte is a line feed', '\x0bone\x1c\n\x0btwo\x1c\r', ['message one', 'message two']],
    ['the end is missing and another begins', '\x0bone\x0btwo\x1c\r', ['cut one', 'message two']],
    ['the start is sent twice', '\x0b\x0bone\x1c\r', ['message one']],
    ['garbage is before, between and after', 'HTTP\x0bone\x1c\r\n\r\n\x0btwo\x1c\rBYE', ['message one', 'message two']],
  ])('%s', (_, sent, frames) => {
    const decoder = createFrameDecoder(100);
    const found = [...sent].flatMap((char) => decoder.push(Buffer.from(char, 'latin1')));
    expect(found.map((frame) => (frame.kind === 'too-long' ? '' : `${frame.kind} ${text(frame.bytes)}`))).toEqual(
      frames,
    );
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
      refuseTooLong: async (_, limit) => ({ code: 'AR', ack: `over ${limit}` }),
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
  const closed = (socket: Socket) =>
    new Promise<void>((resolve) => {
      // What is written to a connection that was closed meanwhile fails.
      socket.on('error', () => socket.destroy());
      socket.resume().once('close', () => resolve());
    });
  const collect = async (socket: Socket, count: number) => {
    const decoder = createFrameDecoder(10_000_000);
    const answers: string[] = [];
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      for (const frame of decoder.push(chunk)) answers.push(text(frame.kind === 'too-long' ? frame.head : frame.bytes));
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

  it('answers a sender that never sends the last byte of a frame', async () => {
    const { target } = await start({ graceMilliseconds: 5 });
    const socket = await open(target);
    socket.write('\x0bone\x1c');
    expect(await collect(socket, 1)).toEqual(['ack of one']);
    socket.write('\x0btwo\x1c');
    expect(await collect(socket, 1)).toEqual(['ack of two']);
  });

  it('does not wait for a message that drips, and keeps what came of it', async () => {
    const cut: string[] = [];
    const keepCut = async (raw: Uint8Array) => void cut.push(text(raw));
    const { target } = await start({ frameMilliseconds: 40, keepCut });
    const socket = await open(target);
    socket.write('\x0bM');
    const drip = setInterval(() => socket.write('S'), 5);
    await closed(socket);
    clearInterval(drip);
    expect(await sendMllp(target, 'next')).toBe('ack of next');
    expect(cut.map((one) => /^MS*$/.test(one))).toEqual([true]);
  });

  it('takes so many connections from one address and no more, and another when one has gone', async () => {
    const { target } = await start({ maxPerAddress: 2 });
    const [first] = [await open(target), await open(target)];
    const third = await open(target);
    await once(third.resume(), 'close');
    first.destroy();
    await once(first, 'close');
    await expect
      .poll(() => sendMllp(target, 'next').catch(() => 'refused'), { interval: 5, timeout: 5_000 })
      .toBe('ack of next');
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
      refuseTooLong: async () => ({ code: 'AR', ack: '' }),
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

describe('MLLP over TLS', () => {
  const authority = makeCertificate('Hospital CA');
  const own = makeCertificate('baton', authority);
  const start = (ca?: string, maxPerAddress?: number) =>
    startMllpServer({
      maxPerAddress,
      host: '127.0.0.1',
      port: 0,
      log,
      tls: () => ({ cert: own.cert, key: own.key, ...(ca ? { ca } : {}) }),
      receive: async (raw) => ({ code: 'AA', ack: `ack of ${text(raw)}` }),
      refuseTooLong: async () => ({ code: 'AR', ack: '' }),
    });

  it('answers whoever trusts its certificate', async () => {
    const server = await start();
    const target = { host: '127.0.0.1', port: server.port, timeoutMilliseconds: 2_000 };
    expect(await sendMllp({ ...target, tls: { ca: authority.cert } }, 'hello')).toBe('ack of hello');
    await expect(sendMllp({ ...target, tls: {} }, 'hello')).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(sendMllp(target, 'plain')).rejects.toMatchObject({ kind: 'unavailable' });
    await server.close();
  });

  it('counts connections of an address that never begin to shake hands', async () => {
    const server = await start(undefined, 2);
    const target = { host: '127.0.0.1', port: server.port, timeoutMilliseconds: 2_000 };
    const tls = { ca: authority.cert };
    for (let n = 0; n < 3; n += 1) expect(await sendMllp({ ...target, tls }, 'hello')).toBe('ack of hello');
    const silent = [connect(target), connect(target)];
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    await expect(sendMllp({ ...target, tls }, 'third')).rejects.toMatchObject({ kind: 'unavailable' });
    for (const socket of silent) socket.destroy();
    await server.close();
  });

  it('wants a certificate of a sender when it knows who signs them (mutual TLS)', async () => {
    const server = await start(authority.cert);
    const target = { host: '127.0.0.1', port: server.port, timeoutMilliseconds: 2_000 };
    const engine = makeCertificate('engine', authority);
    const stranger = makeCertificate('engine', makeCertificate('Elsewhere'));
    const tls = { ca: authority.cert };
    const show = ({ cert, key }: { cert: string; key: string }) =>
      sendMllp({ ...target, tls: { ...tls, cert, key } }, 'x');
    expect(await show(engine)).toBe('ack of x');
    await expect(show(stranger)).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(sendMllp({ ...target, tls }, 'x')).rejects.toMatchObject({ kind: 'unavailable' });
    await server.close();
  });
});
