// What is not HTTP, or has headers larger than Node takes, never becomes a request; it still gets an OperationOutcome.
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { Fault, outcomeOf } from '../fault.ts';
import { FHIR_JSON } from './fhir/context.ts';

interface ClientError extends NodeJS.ErrnoException {
  /** The bytes that had arrived when parsing failed. */
  readonly rawPacket?: unknown;
}

/** A request line longer than this is what made the headers too large. */
const LONG_LINE = 8_000;

export function answerClientError(error: ClientError, socket: Socket): void {
  // A peer that went away, or an answer that has begun: there is nothing left to say.
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const [status, fault] = describe(error);
  const body = JSON.stringify(outcomeOf(fault));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${FHIR_JSON}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** Earlier answers on a kept-alive connection are over; only one whose head has left must not be written into. */
function isAnswering(socket: Socket): boolean {
  // Where Node itself looks before it writes its own answer to such an error.
  const { _httpMessage } = socket as { _httpMessage?: ServerResponse | null };
  return _httpMessage?.headersSent ?? false;
}

function describe({ code, rawPacket }: ClientError): [number, Fault] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      if (isLineLong(rawPacket)) return [414, new Fault('invalid', 'The URL is too long.', { code: 'too-long' })];
      return [431, new Fault('invalid', 'The headers of the request are too large.', { code: 'too-long' })];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, new Fault('timeout', 'The request did not arrive in time.')];
    default:
      return [400, new Fault('invalid', 'This is not an HTTP request.', { code: 'structure' })];
  }
}

function isLineLong(packet: unknown): boolean {
  if (!Buffer.isBuffer(packet) || packet.length < LONG_LINE) return false;
  const end = packet.indexOf('\n');
  return end < 0 ? /^[A-Z]+ \//.test(packet.subarray(0, 20).toString('latin1')) : end > LONG_LINE;
}
