/** What an answer would have cost from the model that was asked for. */

import type { Usage } from "../../sdk/dialect.ts";
import type { NanoDollars } from "../../sdk/money.ts";
import { costNano } from "./cost.ts";

/** @param model as the client named it @returns null where its price, or what was used, is not known */
export function costAsAsked(usage: Usage | undefined, model: string): NanoDollars | null {
  const slash = model.indexOf("/");
  if (slash > 0) return costNano(usage, {}, { providerName: model.slice(0, slash), model: model.slice(slash + 1) });
  return costNano(usage, {}, { providerName: vendorOf(model), model });
}

/** Whose own list a bare name stands in. */
function vendorOf(model: string): string {
  if (/^gemini\b/.test(model)) return "gemini";
  return /^(gpt|o\d|chatgpt)\b/.test(model) ? "openai" : "anthropic";
}
