// What the steps of a first load work with.
import type { BulkClient } from '../../remote/bulk-client.ts';
import type { Lease } from '../../store/lease.ts';
import type { RunContext } from '../context.ts';
import type { ExchangeLog } from '../messages/message-log.ts';

export interface BulkRun {
  readonly run: RunContext;
  readonly client: BulkClient;
  readonly exchanges: ExchangeLog;
  readonly lease: Lease;
}
