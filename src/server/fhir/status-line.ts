// An HTTP status as Bundle.entry.response.status writes it: `201 Created`.
import { STATUS_CODES } from 'node:http';

export function statusLine(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? ''}`.trim();
}
