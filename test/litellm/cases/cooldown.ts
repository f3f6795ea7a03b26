/** Which deployments are left alone for a while, and after which failures. */

import type { Suite } from "../case.ts";

export const cooldownDefaults: Suite = {
  name: "cooldown without allowed_fails",
  settings: { router_settings: { num_retries: 0, cooldown_time: 60 } },
  cases: [
    ...[401, 404, 429].map((status) => ({
      name: `after ${status} the other of two deployments is asked`,
      groups: { [`cool-${status}`]: [`c${status}a`, `c${status}b`] },
      scripts: { [`c${status}a c${status}b`]: [status, 200] },
      steps: Array.from({ length: 5 }, () => ({ model: `cool-${status}` })),
    })),
    ...[400, 403, 408, 422, 500].map((status) => ({
      name: `after one ${status} both deployments are still asked`,
      groups: { [`warm-${status}`]: [`w${status}a`, `w${status}b`] },
      scripts: { [`w${status}a w${status}b`]: [status, 200] },
      steps: Array.from({ length: 2 }, () => ({ model: `warm-${status}` })),
      isAnyOfAlike: true as const,
    })),
    ...[401, 429, 500].map((status) => ({
      name: `after ${status} the only deployment is asked again`,
      groups: { [`single-${status}`]: [`s${status}`] },
      scripts: { [`s${status}`]: [status, 200] },
      steps: [{ model: `single-${status}` }, { model: `single-${status}` }],
    })),
    {
      name: "both deployments have cooled down",
      groups: { frozen: ["frozen1", "frozen2"] },
      scripts: { "frozen1 frozen2": [401, 401, 200] },
      steps: [{ model: "frozen" }, { model: "frozen" }, { model: "frozen" }],
    },
    {
      name: "a cooled deployment is asked again after its time",
      groups: { thaw: [{ id: "thaw1", params: { cooldown_time: 1 } }] },
      scripts: { thaw1: [401, 200] },
      steps: [{ model: "thaw" }, { model: "thaw", afterMs: 1500 }],
    },
    {
      name: "a cooldown_time of 0",
      groups: { never: [{ id: "never1", params: { cooldown_time: 0 } }] },
      scripts: { never1: [401, 200] },
      steps: [{ model: "never" }, { model: "never" }],
    },
    {
      name: "a fallback to the id of a cooled deployment",
      groups: { byid: ["byid1"] },
      scripts: { byid1: [401, 200] },
      steps: [{ model: "byid" }, { model: "byid1" }],
    },
    {
      name: "Messages: after 429 the other of two deployments is asked",
      groups: {
        claude: [
          { id: "claude1", provider: "anthropic" },
          { id: "claude2", provider: "anthropic" },
        ],
      },
      scripts: { "claude1 claude2": [429, 200] },
      steps: Array.from({ length: 4 }, () => ({ model: "claude", wire: "anthropic" as const })),
    },
  ],
};

export const allowedFails: readonly Suite[] = [0, 1].map((count) => ({
  name: `allowed_fails ${count}`,
  settings: { router_settings: { num_retries: 0, cooldown_time: 60, allowed_fails: count } },
  cases: [
    {
      name: `allowed_fails ${count}: failures of one of two deployments`,
      groups: {
        [`fails-${count}`]: [
          { id: `f${count}a`, params: { weight: 1 } },
          { id: `f${count}b`, params: { weight: 0 } },
        ],
      },
      scripts: { [`f${count}a`]: [500] },
      steps: Array.from({ length: 4 }, () => ({ model: `fails-${count}` })),
    },
    {
      name: `allowed_fails ${count}: failures of the only deployment`,
      groups: { [`lonely-${count}`]: [`y${count}`] },
      scripts: { [`y${count}`]: [500, 500, 500, 200] },
      steps: Array.from({ length: 4 }, () => ({ model: `lonely-${count}` })),
    },
    {
      name: `allowed_fails ${count}: a retry goes to the other deployment`,
      groups: {
        [`again-${count}`]: [
          { id: `a${count}a`, params: { weight: 1 } },
          { id: `a${count}b`, params: { weight: 0 } },
        ],
      },
      scripts: { [`a${count}a`]: [500] },
      steps: [{ model: `again-${count}`, body: { num_retries: 2 } }],
    },
  ],
}));

export const failsPolicy: Suite = {
  name: "allowed_fails_policy",
  settings: {
    router_settings: {
      num_retries: 0,
      cooldown_time: 60,
      allowed_fails: 1,
      allowed_fails_policy: { RateLimitErrorAllowedFails: 2, InternalServerErrorAllowedFails: 0 },
    },
  },
  cases: [429, 500, 401].map((status) => ({
    name: `allowed_fails_policy: ${status} of one of two deployments`,
    groups: {
      [`fp-${status}`]: [
        { id: `fp${status}a`, params: { weight: 1 } },
        { id: `fp${status}b`, params: { weight: 0 } },
      ],
    },
    scripts: { [`fp${status}a`]: [status] },
    steps: Array.from({ length: 5 }, () => ({ model: `fp-${status}` })),
  })),
};

export const cooldownOff: Suite = {
  name: "disable_cooldowns",
  settings: { router_settings: { num_retries: 0, cooldown_time: 60, disable_cooldowns: true } },
  cases: [
    {
      name: "disable_cooldowns: 401 of one of two deployments",
      groups: {
        warm: [
          { id: "warm1", params: { weight: 1 } },
          { id: "warm2", params: { weight: 0 } },
        ],
      },
      scripts: { warm1: [401] },
      steps: Array.from({ length: 3 }, () => ({ model: "warm" })),
    },
  ],
};
