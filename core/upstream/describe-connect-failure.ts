/** Says why there is no connection, and what to do about it. */

import type { ConnectionError } from "./connection-error.ts";
import { failed, failureReason } from "./describe-failure.ts";
import { type Proxy, nameOf } from "./proxies.ts";

const untrusted =
  "its certificate comes from an authority that is not trusted here. If a company's proxy stands in between, or the host is one's own, " +
  "name the authority: litellm_settings.ssl_verify: /path/to/authorities.pem, or NODE_EXTRA_CA_CERTS when ccproxy is started";

/** By the code of Node's error, OpenSSL's names among them. */
const advice: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate has expired; it must be renewed there, or this machine's clock is wrong",
  CERT_NOT_YET_VALID: "its certificate is not valid yet; is this machine's clock right?",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for other names; is api_base right?",
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS there; is it http:// in place of https://?",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS there; is it http:// in place of https://?",
  ENOTFOUND: "there is no host of this name; is api_base right, and this machine online?",
  EAI_AGAIN: "no name server answered; is this machine online?",
  ECONNREFUSED: "nobody listens there",
};

/** Nothing of the request was sent. */
export function describeConnectFailure(error: Error, origin: string, proxy: Proxy | undefined): ConnectionError {
  const { code, text } = failureReason(error);
  const hint = code !== undefined && Object.hasOwn(advice, code) ? `: ${advice[code]}` : "";
  const via = proxy === undefined ? "" : ` through the proxy ${nameOf(proxy)}`;
  return failed("unreachable", `${origin} could not be reached${via} (${text})${hint}`, error);
}
