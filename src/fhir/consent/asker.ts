// Who asks for a resource, in the terms that consents speak of.

export interface Asker {
  /**
   * Everything that the asker is or acts for: `Practitioner/12`, `PractitionerRole/3`, `Organization/3`,
   * `Device/app`, `Patient/7`, or an identifier as `system|value`. When empty the asker is unknown, and every deny of an
   * actor holds.
   */
  readonly actors: readonly string[];
  /** Codes of v3-ActReason; each must be allowed. When empty, every deny of a purpose holds. */
  readonly purposes: readonly string[];
  /** When it is asked, milliseconds since 1970. */
  readonly at: number;
  /** An application, a connection or a community partner: labels that need a permit are withheld from it without one. */
  readonly external: boolean;
}
