// References between resources of Baton's own.

/** A literal reference, or a fullUrl of the same commit. */
export interface Link {
  readonly reference: string;
}

/** A literal reference to something that is stored. */
export function referenceTo<R extends { resourceType: string; id?: string }>(resource: R): Link {
  return { reference: `${resource.resourceType}/${resource.id}` };
}
