// What the thread that appends audit records says: that it is ready, and then of each batch nothing when it is on disk, or why
// it is not.

export const READY = 'ready';

export interface Refusal {
  readonly message: string;
  readonly isUnavailable: boolean;
}
