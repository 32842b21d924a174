// What is not HTTP, or has headers larger than Node takes, never becomes a request; it still gets an OperationOutcome.
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { Fault, outcomeOf } from '../fault.ts';
import { FHIR_JSON } from './fhir/context.ts';

export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // A peer that went away, or an answer that has begun: there is nothing left to say.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const [status, fault] = describe(error.code);
  const body = JSON.stringify(outcomeOf(fault));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${FHIR_JSON}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function describe(code: string | undefined): [number, Fault] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [431, new Fault('invalid', 'The headers of the request are too large.', { code: 'too-long' })];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, new Fault('timeout', 'The request did not arrive in time.')];
    default:
      return [400, new Fault('invalid', 'This is not an HTTP request.', { code: 'structure' })];
  }
}
