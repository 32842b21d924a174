/** A setting that Baton cannot start with. The message is for the person who set it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
