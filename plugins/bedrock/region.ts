/** Where a deployment runs, and the host there. */

import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import type { ModelQuestion, Variables } from "../../sdk/provider.ts";
import { isRegion } from "./models.ts";
import { param, readAsked } from "./params.ts";

const regionVariables = ["AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"];

/** In words, for whoever has to set one of them. */
export const regionPlaces: string = `aws_region_name of litellm_params, the model's own prefix or ARN, ${regionVariables.join(", ")}, and "region" of the profile in the AWS configuration file`;

/** Undefined where nobody says it. */
export function regionOf(question: Pick<ModelQuestion, "model" | "params">, variables: Variables): string | undefined {
  const said = param(question.params, "aws_region_name") ?? readAsked(question).region;
  if (said !== undefined) return said;
  for (const name of regionVariables) {
    const value = variables(name);
    if (value !== undefined && value !== "") return value;
  }
  return profileRegion(param(question.params, "aws_profile_name") ?? variables("AWS_PROFILE") ?? "default", variables);
}

/** The part of an address that names a region, as those of the vendor and of private endpoints do. */
export function regionOfHost(host: string): string | undefined {
  const [, found] = /bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\./.exec(host) ?? [];
  return found !== undefined && isRegion(found) ? found : undefined;
}

/** @throws Error for what is no region: it would name another host */
export function regionalBase(region: string): string {
  if (!isRegion(region)) throw new Error(`"${region}" is no AWS region; wanted one like us-east-1, in ${regionPlaces}`);
  return `https://bedrock-runtime.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}

/** As the command line tools of AWS read it: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html */
function profileRegion(profile: string, variables: Variables): string | undefined {
  const file = variables("AWS_CONFIG_FILE") ?? join(variables("HOME") ?? homedir(), ".aws", "config");
  let lines: readonly string[];
  try {
    lines = readFileSync(file, "utf8").split(/\r?\n/);
  } catch {
    return undefined;
  }
  let isOurs = false;
  for (const line of lines) {
    const [, section] = /^\s*\[\s*(?:profile\s+)?["']?([^\]"']+?)["']?\s*\]/.exec(line) ?? [];
    if (section !== undefined) isOurs = section === profile;
    const [, region] = /^region\s*=\s*(\S+)/.exec(line) ?? [];
    if (isOurs && region !== undefined) return region;
  }
  return undefined;
}
