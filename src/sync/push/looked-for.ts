// Whose records are worth a search on the remote before a create. docs/sync-spec.md#I8

const MATCHED = new Set(['Patient', 'Practitioner', 'Organization', 'Location']);

/** Whether ours may be somebody whom the server has already. */
export const isLookedFor = (type: string): boolean => MATCHED.has(type);
