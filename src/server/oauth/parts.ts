// What the routes of the authorization server work with.
import type { FailedAttempts } from '../../access/failed-attempts.ts';
import type { AuthorizationServer } from '../../access/oauth/authorization-server.ts';
import type { Store } from '../../store/store.ts';

export interface OauthParts {
  /** Absent: failed attempts are not counted. */
  readonly attempts?: FailedAttempts | undefined;
  readonly server: AuthorizationServer;
  readonly store: Pick<Store, 'audit'>;
  /** Public base URL without trailing slash; asked each time because a free port is known late. */
  readonly baseUrl: () => string;
}
