// What the operator asks of every resource beyond R4: profiles that all resources of a type must meet, and whether a
// resource may claim a profile that is not installed.
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Definitions } from '../definitions.ts';
import { issueOf } from './issue.ts';
import type { Validator } from './validator.ts';

export interface ProfileRules {
  /** Resource type to the canonicals of the profiles that each resource of it must meet. */
  readonly required: Readonly<Record<string, readonly string[]>>;
  /** What a claim in `meta.profile` of a profile that is not installed is: a warning, or an error. */
  readonly unknownProfile: 'warning' | 'error';
}

export const NO_PROFILE_RULES: ProfileRules = { required: {}, unknownProfile: 'warning' };

/** The validator with the rules put into force. */
export function withProfileRules(
  validate: Validator['validate'],
  definitions: Pick<Definitions, 'structure'>,
  { required, unknownProfile }: ProfileRules,
): Validator['validate'] {
  const isUsable = (url: string) => {
    try {
      return definitions.structure(url) !== undefined;
    } catch (error) {
      if (error instanceof Fault) return false;
      throw error;
    }
  };
  return (resource, profiles = [], options = {}) => {
    const type = typeOf(resource);
    const demanded = Object.hasOwn(required, type) ? (required[type] ?? []) : [];
    const issues = validate(resource, demanded.length === 0 ? profiles : [...profiles, ...demanded], options);
    const checked = demanded.length === 0 ? issues : issues.map((issue) => insisted(issue, demanded));
    return [
      ...checked,
      ...demanded.filter((url) => !isUsable(url)).map((url) => notThere(type, url)),
      ...(unknownProfile === 'error' ? claimsOf(resource).filter((url) => !isUsable(url)) : []).map((url) =>
        unknown(type, url),
      ),
    ];
  };
}

/** A required profile that could not be checked is not met. */
function insisted(issue: OperationOutcomeIssue, demanded: readonly string[]): OperationOutcomeIssue {
  const isUnchecked = issue.severity === 'warning' && issue.code === 'processing';
  const concerns = demanded.some((url) => issue.details?.text?.includes(`profile ${url} could not be checked`));
  return isUnchecked && concerns ? { ...issue, severity: 'error' } : issue;
}

function notThere(type: string, url: string): OperationOutcomeIssue {
  const text = `Every ${type} must meet the profile ${url}, which is not installed here; an operator has to add its guide.`;
  return issueOf('error', 'business-rule', text, type);
}

function unknown(type: string, url: string): OperationOutcomeIssue {
  const text = `The profile ${url} is not installed here, and resources may not claim profiles that are not.`;
  return issueOf('error', 'business-rule', text, `${type}.meta.profile`);
}

function typeOf(resource: unknown): string {
  const type = (resource as { resourceType?: unknown } | null | undefined)?.resourceType;
  return typeof type === 'string' ? type : '';
}

function claimsOf(resource: unknown): string[] {
  const profiles = (resource as { meta?: { profile?: unknown } } | null | undefined)?.meta?.profile;
  return Array.isArray(profiles) ? profiles.filter((url) => typeof url === 'string') : [];
}
