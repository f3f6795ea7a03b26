/** Fetches credentials with AWS's own packages, which are large and loaded only where they are needed. */

import type { AwsCredentials, CredentialQuestion } from "./credentials.ts";

export async function loadCredentials(question: CredentialQuestion): Promise<AwsCredentials> {
  const { region, keys, profile, roleArn, sessionName, externalId, webIdentityToken, stsEndpoint } = question;
  const aws = await import("@aws-sdk/credential-providers");
  const clientConfig = { region, ...(stsEndpoint === undefined ? {} : { endpoint: stsEndpoint }) };
  const roleSessionName = sessionName ?? "ccproxy";
  if (roleArn !== undefined && webIdentityToken !== undefined) {
    // A file is read anew each time: whoever put it there replaces it before it expires.
    if (webIdentityToken.startsWith("/")) {
      return aws.fromTokenFile({ roleArn, roleSessionName, webIdentityTokenFile: webIdentityToken, clientConfig })();
    }
    return aws.fromWebToken({ roleArn, roleSessionName, webIdentityToken, clientConfig })();
  }
  const base = keys ?? (profile === undefined ? aws.fromNodeProviderChain({ clientConfig }) : aws.fromIni({ profile, clientConfig }));
  if (roleArn !== undefined) {
    const params = { RoleArn: roleArn, RoleSessionName: roleSessionName, ...(externalId === undefined ? {} : { ExternalId: externalId }) };
    return aws.fromTemporaryCredentials({ masterCredentials: base, params, clientConfig })();
  }
  return typeof base === "function" ? base() : base;
}
