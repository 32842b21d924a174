// The pages that oidc-provider shows by itself, in Baton's own frame.
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { LibraryPages } from '../../access/oauth/provider.ts';
import { Html, html } from './html.ts';
import { type Page, pageOf } from './page.ts';
import { errorPage } from './pages.ts';

export const LIBRARY_PAGES: LibraryPages = {
  error(ctx, { error, error_description }) {
    show(
      ctx,
      errorPage(`The application's request was refused: ${error_description ?? 'it cannot be understood'}.`, error),
    );
  },
  askLogout(ctx, form) {
    const body = html`<h1>Do you want to sign out?</h1>
${new Html(form)}
<button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>
<button class="plain" type="submit" form="op.logoutForm">Stay signed in</button>`;
    show(ctx, pageOf('Sign out', body));
  },
  loggedOut(ctx) {
    show(ctx, pageOf('Signed out', html`<h1>You are signed out</h1>`));
  },
};

function show(ctx: KoaContextWithOIDC, { text, headers }: Page): void {
  ctx.body = text;
  ctx.set({ ...headers });
}
