// The frame of every page that people see: no scripts, one style that the Content-Security-Policy names by its hash, and
// forms that lead to Baton and on to the application only.
import { hash } from 'node:crypto';
import { type Html, html } from './html.ts';

export interface Page {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; padding: 1.5rem 1rem; max-width: 34rem; }
h1 { font-size: 1.4rem; line-height: 1.25; }
label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
input[type=text], input[type=password], input[type=search] { box-sizing: border-box; width: 100%; padding: .6rem; font: inherit; border: 1px solid #767676; border-radius: .3rem; }
button { margin: 1rem .5rem 0 0; padding: .6rem 1.2rem; font: inherit; border: 1px solid #0b5394; border-radius: .3rem; background: #0b5394; color: #fff; cursor: pointer; }
button.plain { background: transparent; color: inherit; border-color: #767676; }
button.row { display: block; width: 100%; margin: .5rem 0 0; text-align: left; background: transparent; color: inherit; border-color: #767676; }
button:focus-visible, input:focus-visible { outline: 3px solid #e69f00; outline-offset: 2px; }
.alert { padding: .6rem .8rem; border-left: .3rem solid #b00020; }
.small { font-size: .9rem; }
`;
const STYLE_HASH = hash('sha256', STYLE, 'base64');

/** @param formTargets origins that a form's answer may redirect to, beside Baton itself */
export function pageOf(title: string, body: Html, formTargets: readonly string[] = []): Page {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    `form-action ${["'self'", ...formTargets].join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  const { text } = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} - Baton</title>
<style>`;
  return {
    text: `<!doctype html>\n${text}${STYLE}</style>\n</head>\n<body>\n<main>\n${body.text}\n</main>\n</body>\n</html>\n`,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': policy.join('; '),
      'referrer-policy': 'no-referrer',
    },
  };
}
