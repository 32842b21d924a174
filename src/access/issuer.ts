// Another authorization server, as the configuration describes it, and what is agreed with it: how its tokens are
// checked and how its claims are read.

/** An authorization server whose tokens are accepted beside Baton's own. */
export interface Issuer {
  /** `iss` of its tokens, compared exactly. */
  readonly issuer: string;
  /** `aud` its tokens must carry. */
  readonly audience: string;
  /** Where its public keys are; found by discovery when absent. */
  readonly jwksUrl?: string | undefined;
  /** Tokens are not read but asked about. */
  readonly introspection?: Introspection | undefined;
  /** Claim with the FHIR resource of the person; `fhirUser` when absent. */
  readonly userClaim?: string | undefined;
  /** Claim with the patient in context; `patient`, also within `launch_response`, when absent. */
  readonly patientClaim?: string | undefined;
  /** FHIR base URL of another server whose people are the same as ours, id by id. */
  readonly fhirUserBase?: string | undefined;
  /** How much the issuer's clock may differ; 30 when absent. */
  readonly leewaySeconds?: number | undefined;
}

/** How Baton shows the issuer who it is when it asks about a token. https://www.rfc-editor.org/rfc/rfc7662 */
export interface Introspection {
  /** Found by discovery when absent. */
  readonly url?: string | undefined;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Clocks of two machines may differ by this much, unless the configuration says otherwise. */
export const LEEWAY_SECONDS = 30;

/** What a token must be, and where in it things are. */
export interface Agreement {
  /** `iss`, exactly. */
  readonly issuer: string;
  /** `aud` must be one of these, a slash at the end not counting. */
  readonly audiences: readonly string[];
  readonly leewaySeconds: number;
  /** Where the person is named: the name of a claim, or names with dots between them for one within another. */
  readonly userClaim: string;
  /** Where the patient is named; the first that is there counts. */
  readonly patientClaims: readonly string[];
  /** FHIR base URLs, without slash at the end, whose resources are ours; Baton's own first. */
  readonly bases: readonly string[];
}

export const DEFAULT_CLAIMS = { userClaim: 'fhirUser', patientClaims: ['patient', 'launch_response.patient'] } as const;

/** @param base Baton's own FHIR base URL, without slash at the end */
export function agreementWith(issuer: Issuer, base: string): Agreement {
  return {
    issuer: issuer.issuer,
    audiences: [withoutSlash(issuer.audience)],
    leewaySeconds: issuer.leewaySeconds ?? LEEWAY_SECONDS,
    userClaim: issuer.userClaim ?? DEFAULT_CLAIMS.userClaim,
    patientClaims: issuer.patientClaim === undefined ? DEFAULT_CLAIMS.patientClaims : [issuer.patientClaim],
    bases: issuer.fhirUserBase === undefined ? [base] : [base, withoutSlash(issuer.fhirUserBase)],
  };
}

export const withoutSlash = (url: string) => url.replace(/\/$/, '');
