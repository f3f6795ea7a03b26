/** The credentials that are known by their look: how each begins, and what belongs to it. */

export interface SecretKind {
  readonly kind: string;
  /** What else stands somewhere in a text that holds one. */
  readonly needs?: string;
  /** Literal beginnings of what the pattern matches. */
  readonly anchors: readonly string[];
  /**
   * Group 1 is the value where something that is no secret stands before it. Sticky: tried at the anchors. Global:
   * searches by itself, which is faster where anchors are frequent. Its time grows with the length only.
   */
  readonly pattern: RegExp;
  /** `any`: the anchor may stand inside a word. */
  readonly boundary?: "any";
  /** A second look at what the pattern took for a value. */
  readonly accepts?: (value: string) => boolean;
}

export const secretKinds: readonly SecretKind[] = [
  { kind: "anthropic_key", anchors: ["sk-ant-"], pattern: /sk-ant-[\w-]{16,}/y },
  { kind: "api_key", anchors: ["sk-"], pattern: /sk-[\w-]{20,}/y, accepts: isMixed },
  { kind: "github_token", anchors: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], pattern: /gh[pousr]_[A-Za-z0-9]{36,}/y },
  { kind: "github_token", anchors: ["github_pat_"], pattern: /github_pat_\w{40,}/y },
  { kind: "gitlab_token", anchors: ["glpat-"], pattern: /glpat-[\w-]{20,}/y },
  { kind: "aws_key", anchors: ["AKIA", "ASIA"], pattern: /A[KS]IA[0-9A-Z]{16}(?![0-9A-Za-z])/y },
  {
    kind: "aws_key",
    anchors: ["aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"],
    pattern: /aws_secret_access_key["']?\s{0,4}[=:]\s{0,4}["']?([A-Za-z0-9/+]{40})/iy,
  },
  { kind: "google_key", anchors: ["AIza"], pattern: /AIza[\w-]{35}/y },
  { kind: "google_key", anchors: ["ya29."], pattern: /ya29\.[\w-]{20,}/y },
  { kind: "google_key", anchors: ["GOCSPX-"], pattern: /GOCSPX-[\w-]{20,}/y },
  { kind: "slack_token", anchors: ["xoxb-", "xoxp-", "xoxa-", "xoxe-", "xoxs-", "xapp-"], pattern: /x(?:ox[abpes]|app)-[\w-]{16,}/y },
  { kind: "slack_token", anchors: ["hooks.slack.com/services/"], pattern: /hooks\.slack\.com\/services\/(\w+\/\w+\/\w{16,})/y },
  { kind: "stripe_key", anchors: ["sk_live_", "rk_live_", "sk_test_", "rk_test_"], pattern: /[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/y },
  { kind: "stripe_key", anchors: ["whsec_"], pattern: /whsec_[A-Za-z0-9+/=]{20,}/y },
  { kind: "npm_token", anchors: ["npm_"], pattern: /npm_[A-Za-z0-9]{36}/y },
  { kind: "pypi_token", anchors: ["pypi-"], pattern: /pypi-[\w-]{50,}/y },
  { kind: "huggingface_token", anchors: ["hf_"], pattern: /hf_[A-Za-z0-9]{30,}/y },
  { kind: "sendgrid_key", anchors: ["SG."], pattern: /SG\.[\w-]{16,}\.[\w-]{16,}/y },
  { kind: "digitalocean_token", anchors: ["dop_v1_", "doo_v1_", "dor_v1_"], pattern: /do[opr]_v1_[0-9a-f]{64}/y },
  { kind: "api_key", anchors: ["xai-", "gsk_"], pattern: /(?:xai-|gsk_)[A-Za-z0-9]{20,}/y },
  { kind: "jwt", anchors: ["eyJ"], pattern: /eyJ[\w-]{10,}\.eyJ[\w-]{6,}\.[\w-]{10,}/y },
  {
    kind: "private_key",
    anchors: ["-----BEGIN "],
    // Line ends may be written as \n inside another text.
    pattern: /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[\w+/=\s\\:,.()]|-(?!-)){20,20000}-----END [A-Z ]{0,40}PRIVATE KEY-----/y,
    boundary: "any",
  },
  { kind: "bearer_token", anchors: ["Bearer ", "bearer "], pattern: /[Bb]earer {1,4}([\w.~+/-]{20,}=*)/y, accepts: isMixed },
  {
    kind: "password",
    anchors: ["://"],
    needs: "@",
    pattern: /:\/\/[^\s:@/"'<>]{0,64}:([^\s@/"'<>]{8,128})(?=@)/y,
    boundary: "any",
    accepts: isNoVariable,
  },
  {
    kind: "password",
    anchors: ["KEY=", "TOKEN=", "SECRET=", "PASSWORD=", "PASSWD="],
    // As in .env files; the name in capitals is what tells it from source code.
    pattern: /[A-Z]+=["']?([^\s"'`$<>{}()[\]\\;,]{12,200})/y,
    boundary: "any",
    accepts: isMixed,
  },
];

/** Letters and digits, and not the same few over and over: no word, no `your-key-here`, no `xxxxxxxx`. */
function isMixed(value: string): boolean {
  return /\d/.test(value) && /[A-Za-z]/.test(value) && new Set(value).size >= 8;
}

/** `postgres://user:$PASSWORD@host` gives nothing away. */
function isNoVariable(value: string): boolean {
  return !/^[$<{%[]/.test(value) && !/^(.)\1*$/.test(value);
}
