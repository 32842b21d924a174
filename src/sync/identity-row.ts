// What a row of `identity` means, in SQL. The indexes are made for these words. docs/sync-spec.md#I8

/** It says who a record there is now, be it deleted or asked about. @param of the row's name and a dot, here and below */
export const isLive = (of = '') => `${of}state <> 'replaced'`;

/** It is live, and the record was there when it was last looked for. */
export const isThere = (of = '') => `${of}state IN ('linked', 'conflict')`;

/** It has ended, whatever the reason. */
export const hasEnded = (of = '') => `${of}state = 'replaced'`;

/** The record was let go; nobody has taken its place. */
export const isLetGo = (of = '') => `${hasEnded(of)} AND ${of}replaced_by IS NULL`;

/** Another record stands for that one: the server merged it, or it is a second one by a person's word. */
export const isStoodFor = (of = '') => `${hasEnded(of)} AND ${of}replaced_by IS NOT NULL`;

/** Sorts what was let go before what another record stands for. */
export const letGoFirst = (of = '') => `CASE WHEN ${of}replaced_by IS NULL THEN 0 ELSE 1 END`;
