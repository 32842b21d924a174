// The kinds of authorization by the name a connection gives them.
import { type Authorization, type AuthorizationOptions, NO_AUTHORIZATION } from './authorization.ts';
import { backendServices } from './backend-services.ts';
import { clientSecret } from './client-secret.ts';
import { staticToken } from './static-token.ts';

export function authorize(options: AuthorizationOptions): Authorization {
  const { settings } = options;
  switch (settings.type) {
    case 'none':
      return NO_AUTHORIZATION;
    case 'smart-backend':
      return backendServices({ ...options, settings });
    case 'client-secret':
      return clientSecret({ ...options, settings });
    case 'token':
      return staticToken({ ...options, settings });
  }
}
