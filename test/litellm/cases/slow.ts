/** Upstreams that take their time, and streams that fail before they have begun. */

import type { Suite } from "../case.ts";

export const timeouts: Suite = {
  name: "timeouts",
  settings: { router_settings: { num_retries: 0, timeout: 0.5 } },
  cases: [
    {
      name: "timeout: an upstream that stalls",
      groups: { stall: ["stall1"] },
      scripts: { stall1: ["stall"] },
      steps: [{ model: "stall" }],
    },
    {
      name: "timeout: an upstream that stalls, and a retry",
      groups: { twice: ["twice1"] },
      scripts: { twice1: ["stall", 200] },
      steps: [{ model: "twice", body: { num_retries: 1 } }],
    },
    {
      name: "timeout in the body",
      groups: { body: [{ id: "body1", params: { timeout: 30 } }] },
      scripts: { body1: ["stall"] },
      steps: [{ model: "body", body: { timeout: 0.3 } }],
    },
    {
      name: "x-litellm-timeout",
      groups: { header: [{ id: "header1", params: { timeout: 30 } }] },
      scripts: { header1: ["stall"] },
      steps: [{ model: "header", headers: { "x-litellm-timeout": "0.3" } }],
    },
    {
      name: "stream_timeout: a stream whose head does not come",
      groups: { slow: [{ id: "slow1", params: { timeout: 30, stream_timeout: 0.4 } }] },
      scripts: { slow1: ["stall"] },
      steps: [{ model: "slow", body: { stream: true } }],
    },
  ],
};

export const streams: Suite = {
  name: "streams",
  settings: {
    router_settings: { num_retries: 1, fallbacks: [{ early: ["early-b"] }, { claude: ["claude-b"] }], cooldown_time: 60 },
  },
  cases: [
    {
      name: "a stream after a 500",
      groups: { plain: ["plain1"] },
      scripts: { plain1: [500, 200] },
      steps: [{ model: "plain", body: { stream: true } }],
    },
    {
      name: "an error in the place of a stream's first event",
      groups: { alone: ["alone1"] },
      scripts: { alone1: ["stream-error"] },
      steps: [{ model: "alone", body: { stream: true } }],
    },
    {
      name: "an error in the place of a stream's first event, once",
      groups: { once: ["once1"] },
      scripts: { once1: ["stream-error", 200] },
      steps: [{ model: "once", body: { stream: true } }],
    },
    {
      name: "an error in the place of a stream's first event, then the fallback",
      groups: { early: ["early1"], "early-b": ["early2"] },
      scripts: { early1: ["stream-error"] },
      steps: [{ model: "early", body: { stream: true } }],
    },
    {
      name: "Messages: an error in the place of a stream's first event, then the fallback",
      groups: { claude: [{ id: "claude1", provider: "anthropic" }], "claude-b": [{ id: "claude2", provider: "anthropic" }] },
      scripts: { claude1: ["stream-error"] },
      steps: [{ model: "claude", wire: "anthropic", body: { stream: true } }],
    },
    {
      name: "Messages: a stream that is refused, then an answer",
      groups: { again: [{ id: "again1", provider: "anthropic" }] },
      scripts: { again1: [500, 200] },
      steps: [{ model: "again", wire: "anthropic", body: { stream: true } }],
    },
  ],
};
