// A sender that hears whatever comes back over its connection, asked for or not.
import { once } from 'node:events';
import { connect } from 'node:net';
import { createFrameDecoder, frameMessage } from '../../src/intake/mllp/frames.ts';
import { fieldsOf } from './fixture.ts';

export interface Heard {
  /** MSA-1. */
  readonly code: string;
  /** MSA-2. */
  readonly about: string;
  /** ERR-3.1. */
  readonly condition: string | undefined;
  readonly text: string;
}

export async function listeningSender(port: number) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const decoder = createFrameDecoder(1_048_576);
  const heard: Heard[] = [];
  let read = 0;
  let wake = () => {};
  socket.on('data', (chunk: Buffer) => {
    for (const frame of decoder.push(chunk)) {
      const text = frame.kind === 'message' ? Buffer.from(frame.bytes).toString() : '';
      const [, code = '', about = ''] = fieldsOf(text, 'MSA');
      heard.push({ code, about, condition: fieldsOf(text, 'ERR')[3]?.split('^')[0], text });
    }
    wake();
  });
  const next = async (): Promise<Heard> => {
    while (read >= heard.length) await new Promise<void>((resolve) => (wake = resolve));
    const one = heard[read];
    read += 1;
    return one as Heard;
  };
  return {
    write: (message: string) => socket.write(frameMessage(message)),
    /** What comes next. */
    next,
    async send(message: string): Promise<Heard> {
      socket.write(frameMessage(message));
      return next();
    },
    close: () => socket.destroy(),
  };
}
