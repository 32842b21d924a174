// A browser as far as a sign-in needs one: cookies by path, redirects one by one, forms.

export interface Shown {
  readonly status: number;
  readonly url: string;
  readonly headers: Headers;
  readonly text: string;
}

interface Cookie {
  readonly value: string;
  readonly path: string;
}

export class Browser {
  readonly cookies = new Map<string, Cookie>();
  #shown: Shown | undefined;

  get page(): Shown {
    if (!this.#shown) throw new Error('no page is open');
    return this.#shown;
  }

  /** Opens an address and follows redirects until there is a page, or an address of somebody else's. */
  async open(url: string, init: RequestInit = {}): Promise<Shown> {
    let [next, request] = [url, init];
    for (let hops = 0; hops < 10; hops++) {
      const answer = await this.#fetch(next, request);
      const location = answer.headers.get('location');
      if (location === null) {
        this.#shown = { status: answer.status, url: next, headers: answer.headers, text: await answer.text() };
        return this.#shown;
      }
      await answer.body?.cancel();
      next = new URL(location, next).href;
      request = {};
      if (new URL(next).origin !== new URL(url).origin) {
        this.#shown = { status: answer.status, url: next, headers: answer.headers, text: '' };
        return this.#shown;
      }
    }
    throw new Error('too many redirects');
  }

  /** Sends the form that has a field or button of this name and value, as on the page that is open. */
  async submit(fields: Readonly<Record<string, string>>): Promise<Shown> {
    const [name = ''] = Object.keys(fields);
    const forms = [...this.page.text.matchAll(/<form method="post" action="([^"]+)">(.*?)<\/form>/gs)];
    const form = forms.find(([, , content = '']) => content.includes(` name="${name}"`));
    if (!form) throw new Error(`the page has no form with ${name}: ${this.page.text}`);
    const hidden = [...(form[2] ?? '').matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    const given = Object.fromEntries(hidden.map(([, key, value]) => [key, value]));
    return this.post(form[1] ?? '', { ...given, ...fields });
  }

  post(url: string, fields: Readonly<Record<string, string>>): Promise<Shown> {
    return this.open(url, { method: 'POST', body: new URLSearchParams(fields) });
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    const { pathname } = new URL(url);
    const sent = [...this.cookies].filter(
      ([, { path }]) => pathname === path || pathname.startsWith(`${path}/`) || path === '/',
    );
    const cookie = sent.map(([key, { value }]) => `${key.split(' ')[0]}=${value}`).join('; ');
    const answer = await fetch(url, { ...init, headers: { ...init.headers, cookie }, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) this.#keep(line);
    return answer;
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/; */);
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/';
    if (value === '') this.cookies.delete(`${name} ${path}`);
    else this.cookies.set(`${name} ${path}`, { value, path });
  }
}
