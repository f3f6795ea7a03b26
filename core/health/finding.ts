/** What is found out about a deployment, by asking it or by what becomes of requests that go there anyhow. */

export type Finding =
  | { readonly state: "healthy" }
  /** @property status of the answer; undefined where none came @property error for people, redacted */
  | { readonly state: "unhealthy"; readonly status: number | undefined; readonly error: string }
  /** It could not be asked, or the answer says nothing. */
  | { readonly state: "unknown"; readonly reason: string };

/** A finding and when it was made. */
export interface Evidence {
  readonly finding: Finding;
  readonly by: "check" | "traffic";
  /** Monotonic ms. */
  readonly at: number;
  /** ms since 1970 */
  readonly date: number;
}
