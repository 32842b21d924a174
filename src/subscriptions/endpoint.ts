// Where notifications may go. Only hosts that the operator named: a subscriber must not make Baton ask addresses that only
// Baton can reach, nor send records where nobody agreed to.
import { isLoopback } from '../access/trustworthy-url.ts';

export const ENDPOINT = 'Subscription.channel.endpoint';

export interface EndpointRule {
  /** As the configuration has them. */
  readonly hosts: readonly string[];
  /** Whether this machine may be told, also without TLS: in the sandbox. */
  readonly loopback: boolean;
}

/** @returns a sentence that says what to correct; undefined when nothing is wrong */
export function refusedEndpoint(endpoint: string | undefined, { hosts, loopback }: EndpointRule): string | undefined {
  const url = URL.parse(endpoint ?? '');
  if (!url) return 'A rest-hook needs the URL that is to be told.';
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    return 'The URL must have no user name, password or fragment; secrets go into channel.header.';
  }
  if (loopback && isLoopback(url.hostname) && /^https?:$/.test(url.protocol)) return undefined;
  if (url.protocol !== 'https:') return 'The URL must begin with https.';
  if (hosts.some((host) => isHost(host, url.host))) return undefined;
  return `${url.host} is not among the hosts that this server may tell (subscriptions.hosts of its configuration).`;
}

function isHost(rule: string, host: string): boolean {
  return rule.startsWith('*.') ? host.endsWith(rule.slice(1)) : host === rule;
}
