/** Base URLs with an account or a region in them, out of `litellm_params` or the variables that the vendors' own tools read. */

import type { ModelQuestion, Variables } from "../../sdk/provider.ts";

/** https://docs.databricks.com/aws/en/machine-learning/model-serving/query-chat-models: `/serving-endpoints` of the workspace. */
export function databricksBase(_: ModelQuestion, variables: Variables): string {
  const host = variables("DATABRICKS_HOST");
  if (host === undefined)
    throw new Error("needs an api_base such as https://WORKSPACE/serving-endpoints, or the variable DATABRICKS_HOST.");
  return `${withScheme(host)}/serving-endpoints`;
}

/** https://docs.snowflake.com/en/user-guide/snowflake-cortex/open_ai_sdk */
export function snowflakeBase({ params }: ModelQuestion, variables: Variables): string {
  const account = text(params["account_id"]) ?? variables("SNOWFLAKE_ACCOUNT_ID");
  if (account === undefined) throw new Error("needs an api_base, or the account in account_id or the variable SNOWFLAKE_ACCOUNT_ID.");
  return `https://${checked(account)}.snowflakecomputing.com/api/v2/cortex/v1`;
}

/** https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/ */
export function cloudflareBase({ params }: ModelQuestion, variables: Variables): string {
  const account = text(params["account_id"]) ?? variables("CLOUDFLARE_ACCOUNT_ID");
  if (account === undefined) throw new Error("needs an api_base, or the account in account_id or the variable CLOUDFLARE_ACCOUNT_ID.");
  return `https://api.cloudflare.com/client/v4/accounts/${checked(account)}/ai/v1`;
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html */
export function mantleBase({ params }: ModelQuestion, variables: Variables): string {
  const region =
    text(params["aws_region_name"]) ??
    variables("BEDROCK_MANTLE_REGION") ??
    variables("AWS_REGION") ??
    variables("AWS_REGION_NAME") ??
    "us-east-1";
  return `https://bedrock-mantle.${checked(region)}.api.aws/v1`;
}

/** It becomes part of an address. */
function checked(part: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(part)) return part;
  throw new Error("names an account or a region that cannot be part of an address; wanted letters, digits and dashes.");
}

function withScheme(host: string): string {
  const bare = host.endsWith("/") ? host.slice(0, -1) : host;
  return /^https?:\/\//.test(bare) ? bare : `https://${bare}`;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
