// Where a server may lead us: links, redirects and job addresses that it names are followed only within what we were
// configured to talk to, because a credential goes along.

/**
 * `target` resolved against `base`.
 * @param scope an origin, or a base URL whose path must be kept, too
 * @returns undefined when that leaves the scope, carries a user name, or is no URL
 */
export function urlWithin(target: string, base: string, scope: string): string | undefined {
  const resolved = URL.parse(target, base);
  const bounds = URL.parse(scope);
  if (!resolved || !bounds || resolved.origin !== bounds.origin || resolved.origin === 'null') return undefined;
  if (resolved.username !== '' || resolved.password !== '') return undefined;
  const folder = bounds.pathname.replace(/\/+$/, '');
  // Encoded dots and slashes are decoded by some servers after they were compared here.
  const plain = resolved.pathname.replace(/%2e/gi, '.').replace(/%2f|%5c/gi, '/');
  if (plain.split('/').includes('..')) return undefined;
  return folder === '' || plain === folder || plain.startsWith(`${folder}/`) ? resolved.href : undefined;
}
