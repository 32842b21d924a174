// A secret of a connection is named, never written down: settings are stored, shown and copied, and so would it be.

export type NamedSecret = { readonly env: string } | { readonly file: string };

/**
 * Reads a secret at the moment it is used, so that a renewed one is taken without a restart.
 * @throws Fault with a sentence that names the variable or file, never what is in it
 */
export type ReadSecret = (secret: NamedSecret) => string;
