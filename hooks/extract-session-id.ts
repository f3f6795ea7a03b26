/** Hook: notes whose session a request belongs to, as `session_id`, `claude_user_hash` and `claude_account_id` of its log line and trace. */

import { defineHook, type MessagesRequest } from "ccproxy/sdk";

interface UserId {
  readonly session: string | undefined;
  readonly user: string | undefined;
  readonly account: string | undefined;
}

export default defineHook({
  summary: "notes session, user and account of metadata.user_id",
  params: {},

  preCall(request, context) {
    const { session, user, account } = readUserId(request);
    if (session !== undefined) context.annotate("session_id", session);
    if (user !== undefined) context.annotate("claude_user_hash", user);
    if (account !== undefined) context.annotate("claude_account_id", account);
  },
});

/** Claude Code sends JSON; versions before it `user_HASH_account_UUID_session_UUID`. */
function readUserId({ metadata }: MessagesRequest): UserId {
  const id = metadata?.user_id;
  if (typeof id !== "string") return { session: undefined, user: undefined, account: undefined };
  const fields = parseObject(id);
  if (fields !== undefined) {
    const field = (name: string): string | undefined => {
      const value = fields[name];
      return typeof value === "string" && value !== "" ? value : undefined;
    };
    return { session: field("session_id"), user: field("device_id"), account: field("account_uuid") };
  }
  // None of the three holds an underscore.
  const [, user, account, session] = /^user_([^_]+)_account_([^_]*)_session_([^_]+)$/.exec(id) ?? [];
  return { session, user, account: account || undefined };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
