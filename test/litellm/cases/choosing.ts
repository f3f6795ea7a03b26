/** Which deployment a name leads to. */

import type { Suite } from "../case.ts";

export const names: Suite = {
  name: "names",
  settings: { router_settings: { num_retries: 0, model_group_alias: { nick: "plain", secret: { model: "plain", hidden: true } } } },
  cases: [
    {
      name: "an alias, a hidden one, and the id of a deployment",
      groups: { plain: ["plain1"] },
      steps: [{ model: "nick" }, { model: "secret" }, { model: "plain1" }],
    },
    {
      name: "the id of a deployment among others",
      groups: { several: ["several1", "several2", "several3"] },
      steps: [{ model: "several2" }, { model: "several2" }, { model: "several3" }],
    },
    {
      name: "a wildcard with a prefix",
      groups: { "openai/*": [{ id: "wild", model: "*" }], "openai/exact": [{ id: "exact", model: "exact-upstream" }] },
      steps: [{ model: "openai/gpt-anything" }, { model: "openai/exact" }, { model: "openai/exact-not" }],
      showsModel: true,
    },
    {
      name: "a wildcard in the middle",
      groups: { "team-*-chat": [{ id: "middle", model: "gpt-*-2026" }], "fixed-*": [{ id: "fixed", model: "gpt-fixed" }] },
      steps: [{ model: "team-red-chat" }, { model: "fixed-anything" }],
      showsModel: true,
    },
    {
      name: "the longer of two patterns",
      groups: { "long-*": [{ id: "short1", model: "gpt-short" }], "long-er-*": [{ id: "long1", model: "gpt-long" }] },
      steps: [{ model: "long-er-1" }, { model: "long-1" }],
      showsModel: true,
    },
    { name: "a model that nobody serves", groups: {}, steps: [{ model: "no-such-model" }] },
    {
      name: "a weight of 0 beside one of 1",
      groups: {
        weighed: [
          { id: "heavy", params: { weight: 1 } },
          { id: "light", params: { weight: 0 } },
        ],
      },
      steps: Array.from({ length: 6 }, () => ({ model: "weighed" })),
    },
    {
      name: "rpm as weights: 1 beside 0",
      groups: {
        paced: [
          { id: "quick", params: { rpm: 1000 } },
          { id: "slow", params: { rpm: 0 } },
        ],
      },
      steps: Array.from({ length: 6 }, () => ({ model: "paced" })),
    },
  ],
};

export const anyModel: Suite = {
  name: "a group for every name",
  settings: { router_settings: { num_retries: 0 } },
  cases: [
    {
      name: "the wildcard for everything",
      groups: { "*": [{ id: "every", model: "*" }], "gpt-listed": [{ id: "listed", model: "listed-upstream" }] },
      steps: [{ model: "openai/gpt-whatever" }, { model: "gpt-listed" }],
      showsModel: true,
    },
  ],
};

export const orders: Suite = {
  name: "order",
  settings: { router_settings: { num_retries: 2, enable_pre_call_checks: true, cooldown_time: 60 } },
  cases: [
    {
      name: "the lowest order only",
      groups: {
        ranks: [
          { id: "rank1", params: { order: 1 } },
          { id: "rank2", params: { order: 2 } },
        ],
      },
      steps: Array.from({ length: 4 }, () => ({ model: "ranks" })),
    },
    {
      name: "the next order when the first is limited",
      groups: {
        climb: [
          { id: "climb1", params: { order: 1 } },
          { id: "climb2", params: { order: 2 } },
        ],
      },
      scripts: { climb1: [429] },
      steps: [{ model: "climb" }, { model: "climb" }],
    },
    {
      name: "the next order when the first is broken",
      groups: {
        broken: [
          { id: "broken1", params: { order: 1 } },
          { id: "broken2", params: { order: 2 } },
        ],
      },
      scripts: { broken1: [500] },
      steps: [{ model: "broken" }],
    },
    {
      name: "a request that is too long for one of two deployments",
      groups: {
        windows: [
          { id: "window1", model: "gpt-tiny", info: { max_input_tokens: 10 } },
          { id: "window2", model: "gpt-wide", info: { max_input_tokens: 100_000 } },
        ],
      },
      steps: Array.from({ length: 3 }, () => ({ model: "windows", body: { messages: [{ role: "user", content: "word ".repeat(200) }] } })),
    },
    {
      name: "a request that is too long for all deployments",
      groups: { tight: [{ id: "tight1", model: "gpt-tight", info: { max_input_tokens: 10 } }] },
      steps: [{ model: "tight", body: { messages: [{ role: "user", content: "word ".repeat(200) }] } }],
    },
  ],
};

const tagged = (id: string, ...tags: readonly string[]) => ({ id, params: { tags } });

export const tags: Suite = {
  name: "tags",
  settings: { router_settings: { num_retries: 0, enable_tag_filtering: true } },
  cases: [
    {
      name: "tags in the body, in metadata, and in a header",
      groups: { tiers: [tagged("free1", "free"), tagged("paid1", "paid", "fast"), tagged("usual1", "default")] },
      steps: [
        { model: "tiers", body: { tags: ["free"] } },
        { model: "tiers", body: { metadata: { tags: ["paid"] } } },
        { model: "tiers", headers: { "x-litellm-tags": "fast" } },
        { model: "tiers" },
        { model: "tiers", body: { tags: ["unheard-of"] } },
        { model: "tiers", body: { tags: ["fast", "unheard-of"] } },
      ],
    },
    {
      name: "tags that no deployment has, and no default",
      groups: { strict: [tagged("strict1", "a"), tagged("strict2", "b")] },
      steps: [
        { model: "strict", body: { tags: ["c"] } },
        { model: "strict", body: { tags: ["b"] } },
      ],
    },
    {
      name: "no tags asked, and no default",
      groups: { open: [tagged("open1", "a"), tagged("open2", "b")] },
      scripts: { "open1 open2": [200] },
      steps: [{ model: "open" }],
    },
  ],
};

export const allTags: Suite = {
  name: "all tags",
  settings: { router_settings: { num_retries: 0, enable_tag_filtering: true, tag_filtering_match_any: false } },
  cases: [
    {
      name: "tag_filtering_match_any false: a deployment that has all of them",
      groups: { all: [tagged("some1", "a"), tagged("both1", "a", "b")] },
      steps: [
        { model: "all", body: { tags: ["a", "b"] } },
        { model: "all", body: { tags: ["a", "b", "c"] } },
      ],
    },
  ],
};
