// Scopes as a person reads them on the consent screen.
import { parseScopes, type ResourceScope } from '../../access/scopes.ts';

const CONTEXT_WORDS: Readonly<Record<string, string>> = {
  openid: 'Know who you are',
  fhirUser: 'Know your record in the care directory',
  profile: 'Know your user name',
  launch: 'Know what you have open',
  'launch/patient': 'Know which patient you chose',
  'launch/encounter': 'Know which encounter you chose',
  offline_access: 'Keep this access when you are not there, until you or an administrator end it',
  online_access: 'Keep this access until you sign out',
};

const VERBS = { c: 'create', r: 'read', u: 'change', d: 'delete', s: 'search' } as const;

/**
 * @param patient name of the patient in context
 * @returns one sentence per scope: `Read and search: observations of Eleanor Okafor`
 */
export function wordsFor(scope: readonly string[], patient: string | undefined): string[] {
  return scope.map((word) => {
    const [resource] = parseScopes(word).resources;
    return resource ? wordsForResource(resource, patient) : (CONTEXT_WORDS[word] ?? word);
  });
}

function wordsForResource(
  { level, type, permissions, constraint }: ResourceScope,
  patient: string | undefined,
): string {
  const verbs = listed([...permissions].map((letter) => VERBS[letter]));
  const what = type === '*' ? 'all records' : plural(type);
  const whose = level === 'patient' ? `of ${patient ?? 'the patient'}` : 'that you may see';
  const only = constraint.map(([name, value]) => `${name} ${value.split('|').at(-1)}`);
  return `${verbs.charAt(0).toUpperCase()}${verbs.slice(1)}: ${what} ${whose}${only.length > 0 ? `, only with ${listed(only)}` : ''}`;
}

/** `MedicationRequest` -> `medication requests` */
function plural(type: string): string {
  const words = type.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  return words.endsWith('y') ? `${words.slice(0, -1)}ies` : `${words}s`;
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}
