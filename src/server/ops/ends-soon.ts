// Work that an operator asked for and that may take hours: they are answered while their connection still stands.

/** Less than any proxy in between waits. */
const PATIENCE_MS = 25_000;

/**
 * Whether it has ended within a while; if not, it goes on by itself.
 * @throws what it throws until then
 */
export async function endsSoon(work: Promise<unknown>, patience = PATIENCE_MS): Promise<boolean> {
  const waiting = Promise.withResolvers<false>();
  const timer = setTimeout(() => waiting.resolve(false), patience);
  try {
    return await Promise.race([work.then(() => true), waiting.promise]);
  } finally {
    clearTimeout(timer);
  }
}
