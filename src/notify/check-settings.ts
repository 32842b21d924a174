// What is wrong with the channels and routes of a configuration beyond their form.
import { isLoopback, isTrustworthy } from '../access/trustworthy-url.ts';
import type { Channel, NotifySettings } from './settings.ts';

/** Sentences that say what to correct; empty when all is well. */
export function notifyProblems({ channels, routes, link, operators }: NotifySettings): string[] {
  const known = channels.map(({ name }) => name);
  const twice = known
    .filter((name, at) => known.indexOf(name) !== at)
    .map((name) => `channel "${name}" is there twice.`);
  const wanted = routes.flatMap(({ channels: names, supervisor }) => [
    ...names,
    ...(supervisor ? [supervisor.channel] : []),
  ]);
  const unknown = [
    ...wanted.map((name) => ['a route names', name] as const),
    ...(operators?.channels ?? []).map((name) => ['operators name', name] as const),
  ]
    .filter(([, name]) => !known.includes(name))
    .map(([who, name]) => `${who} the channel "${name}", which there is not.`);
  const mails = channels.filter(({ name, kind }) => kind === 'email' && operators?.channels.includes(name));
  const noAddress =
    operators?.addresses === undefined
      ? mails.map(({ name }) => `operators need addresses for the channel "${name}".`)
      : [];
  const noLink =
    link !== undefined && !isTrustworthy(link.replace('{task}', 'x')) ? ['link must be an https URL.'] : [];
  return [...twice, ...channels.flatMap(channelProblems), ...unknown, ...noAddress, ...noLink];
}

function channelProblems(channel: Channel): string[] {
  const { name, kind } = channel;
  if (kind === 'email') {
    const isBare = channel.password === undefined || channel.secure || !isLoopback(channel.host);
    return isBare ? [] : [`channel "${name}" would send its password without TLS.`];
  }
  const url = URL.parse(channel.url);
  const isGood = isTrustworthy(channel.url) && url?.username === '' && url.password === '';
  const isKey = /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(channel.secret);
  return [
    ...(isGood ? [] : [`channel "${name}" needs an https URL without user name and password.`]),
    ...(isKey
      ? []
      : [`channel "${name}" needs a secret of Standard Webhooks: whsec_ and at least 24 bytes in base64.`]),
  ];
}
