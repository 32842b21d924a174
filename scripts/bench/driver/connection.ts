// One keep-alive HTTP/1.1 connection with one request under way at a time. It knows just enough of HTTP to read what
// Baton and the bare server answer, because the driver shares two cores with them and must not be what is measured.
import { createConnection, type Socket } from 'node:net';

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From the server's root. */
  readonly path: string;
  readonly body?: string | Buffer;
  /** Lines of this request alone, each ended by CR LF; they say what the body is when it is not FHIR JSON. */
  readonly headers?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  /** Lines that every request carries, each ended by CR LF. */
  readonly headers: string;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);

export class Connection {
  readonly #socket: Socket;
  readonly #target: Target;
  #received: Buffer = NOTHING;
  #settle: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void } | undefined;

  constructor(target: Target) {
    this.#target = target;
    this.#socket = createConnection({ host: target.host, port: target.port, noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#socket.on('error', (error) => this.#settle?.reject(error));
    this.#socket.on('close', () =>
      this.#settle?.reject(new Error('The server closed a connection with a request under way.')),
    );
  }

  /** Calls back when the whole answer is there. */
  send(
    { method, path, body, headers }: Request,
    resolve: (answer: Answer) => void,
    reject: (error: Error) => void,
  ): void {
    this.#settle = { resolve, reject };
    const head = `${method} ${path} HTTP/1.1\r\n${this.#target.headers}`;
    if (body === undefined) {
      this.#socket.write(`${head}\r\n`, 'latin1');
      return;
    }
    this.#socket.cork();
    const type = headers ?? 'content-type: application/fhir+json\r\n';
    this.#socket.write(`${head}${type}content-length: ${Buffer.byteLength(body)}\r\n\r\n`, 'latin1');
    this.#socket.write(body);
    this.#socket.uncork();
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const answer = readAnswer(this.#received);
    if (!answer) return;
    this.#received = NOTHING;
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.resolve(answer);
  }
}

/** @returns undefined while some of it is missing */
function readAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const status = Number(head.slice(9, 12));
  const body = bytes.subarray(end + 4);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return body.length < Number(length) ? undefined : { status, body };
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return readChunks(status, body);
  return { status, body: NOTHING };
}

function readChunks(status: number, bytes: Buffer): Answer | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (bytes.length < line + 2 + size + 2) return undefined;
    if (size === 0) return { status, body: Buffer.concat(parts) };
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}
