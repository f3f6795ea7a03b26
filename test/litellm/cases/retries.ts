/** How often a deployment is asked, and for which failures again. */

import type { Suite } from "../case.ts";

const overloaded = { status: 503, message: "scripted 503: overloaded" };

export const retryDefaults: Suite = {
  name: "retries without settings",
  settings: {},
  cases: [
    { name: "an answer", groups: { answer: ["answer1"] }, steps: [{ model: "answer" }] },
    { name: "500 then an answer", groups: { once: ["once1"] }, scripts: { once1: [500, 200] }, steps: [{ model: "once" }] },
    { name: "500 for ever", groups: { ever: ["ever1"] }, scripts: { ever1: [500] }, steps: [{ model: "ever" }] },
    { name: "503 for ever", groups: { busy: ["busy1"] }, scripts: { busy1: [overloaded] }, steps: [{ model: "busy" }] },
    {
      name: "a reset connection then an answer",
      groups: { reset: ["reset1"] },
      scripts: { reset1: ["reset", 200] },
      steps: [{ model: "reset" }],
    },
    { name: "429 of the only deployment", groups: { limit: ["limit1"] }, scripts: { limit1: [429] }, steps: [{ model: "limit" }] },
    {
      name: "429 with retry-after of the only deployment",
      groups: { later: ["later1"] },
      scripts: { later1: [{ status: 429, headers: { "retry-after": "1" } }, 200] },
      steps: [{ model: "later" }],
    },
    {
      name: "429 with a retry-after of ten minutes",
      groups: { hour: ["hour1"] },
      scripts: { hour1: [{ status: 429, headers: { "retry-after": "600" } }, 200] },
      steps: [{ model: "hour" }],
    },
    {
      name: "429 then the other deployment",
      groups: { two: ["two1", "two2"] },
      scripts: { "two1 two2": [429, 200] },
      steps: [{ model: "two" }],
    },
    {
      name: "429 of both deployments",
      groups: { both: ["both1", "both2"] },
      scripts: { "both1 both2": [429] },
      steps: [{ model: "both" }],
    },
    {
      name: "500 then one of two deployments",
      groups: { pair: ["pair1", "pair2"] },
      scripts: { "pair1 pair2": [500, 200] },
      steps: [{ model: "pair" }],
      isAnyOfAlike: true,
    },
    ...[400, 401, 403, 404, 408, 413, 422].map((status) => ({
      name: `${status} of the only deployment`,
      groups: { [`only-${status}`]: [`o${status}`] },
      scripts: { [`o${status}`]: [status] },
      steps: [{ model: `only-${status}` }],
    })),
    ...[400, 404, 422].map((status) => ({
      name: `${status} of one of two deployments`,
      groups: { [`two-${status}`]: [`t${status}a`, `t${status}b`] },
      scripts: { [`t${status}a t${status}b`]: [status, 200] },
      steps: [{ model: `two-${status}` }],
    })),
    ...[401, 403, 408].map((status) => ({
      name: `${status} of one of two deployments`,
      groups: { [`two-${status}`]: [`t${status}a`, `t${status}b`] },
      scripts: { [`t${status}a t${status}b`]: [status, 200] },
      steps: [{ model: `two-${status}` }],
      isAnyOfAlike: true as const,
    })),
    {
      name: "num_retries of the deployment",
      groups: { own: [{ id: "own1", params: { num_retries: 1 } }] },
      scripts: { own1: [500] },
      steps: [{ model: "own" }],
    },
    {
      name: "num_retries in the body",
      groups: { body: ["body1"] },
      scripts: { body1: [500] },
      steps: [
        { model: "body", body: { num_retries: 0 } },
        { model: "body", body: { num_retries: 1 } },
      ],
    },
    {
      name: "x-litellm-num-retries",
      groups: { header: ["header1"] },
      scripts: { header1: [500] },
      steps: [{ model: "header", headers: { "x-litellm-num-retries": "1" } }],
    },
    {
      name: "a retry count of the client's own library",
      groups: { library: ["library1"] },
      scripts: { library1: [500] },
      steps: [{ model: "library", headers: { "x-stainless-retry-count": "1" } }],
    },
    {
      name: "Messages: 500 then an answer",
      groups: { claude: [{ id: "claude1", provider: "anthropic" }] },
      scripts: { claude1: [500, 200] },
      steps: [{ model: "claude", wire: "anthropic" }],
    },
    {
      name: "Messages: 529 for ever",
      groups: { claude529: [{ id: "c529", provider: "anthropic" }] },
      scripts: { c529: [529] },
      steps: [{ model: "claude529", wire: "anthropic" }],
    },
    {
      name: "Messages: 401 of the only deployment",
      groups: { claude401: [{ id: "c401", provider: "anthropic" }] },
      scripts: { c401: [401] },
      steps: [{ model: "claude401", wire: "anthropic" }],
    },
  ],
};

/** @param count of `num_retries` */
function counted(count: number): Suite {
  return {
    name: `num_retries ${count}`,
    settings: { router_settings: { num_retries: count } },
    cases: [
      {
        name: `num_retries ${count}: 500 for ever`,
        groups: { [`ever-${count}`]: [`e${count}`] },
        scripts: { [`e${count}`]: [500] },
        steps: [{ model: `ever-${count}` }],
      },
      {
        name: `num_retries ${count}: 429 of the only deployment`,
        groups: { [`limit-${count}`]: [`l${count}`] },
        scripts: { [`l${count}`]: [429] },
        steps: [{ model: `limit-${count}` }],
      },
      {
        name: `num_retries ${count}: 500 of three deployments`,
        groups: { [`three-${count}`]: [`r${count}a`, `r${count}b`, `r${count}c`] },
        scripts: { [`r${count}a r${count}b r${count}c`]: [500] },
        steps: [{ model: `three-${count}` }],
        isAnyOfAlike: true,
      },
    ],
  };
}

export const retryCounts: readonly Suite[] = [counted(0), counted(1), counted(3)];

export const retryPolicies: Suite = {
  name: "retry policies",
  settings: {
    router_settings: {
      num_retries: 3,
      retry_policy: {
        RateLimitErrorRetries: 1,
        InternalServerErrorRetries: 2,
        BadRequestErrorRetries: 1,
        TimeoutErrorRetries: 0,
        AuthenticationErrorRetries: 1,
      },
      model_group_retry_policy: { apart: { RateLimitErrorRetries: 0, InternalServerErrorRetries: 1 } },
    },
  },
  cases: [
    ...[400, 401, 404, 408, 429, 500, 503].map((status) => ({
      name: `retry_policy: ${status} for ever`,
      groups: { [`policy-${status}`]: [`p${status}`] },
      scripts: { [`p${status}`]: [status] },
      steps: [{ model: `policy-${status}` }],
    })),
    {
      name: "model_group_retry_policy: 500 for ever",
      groups: { apart: ["apart1"] },
      scripts: { apart1: [500] },
      steps: [{ model: "apart" }],
    },
    {
      name: "retry_policy: 401 of two deployments",
      groups: { keys: ["keys1", "keys2"] },
      scripts: { "keys1 keys2": [401] },
      steps: [{ model: "keys" }],
      isAnyOfAlike: true,
    },
  ],
};
