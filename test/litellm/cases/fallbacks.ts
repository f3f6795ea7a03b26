/** Where a request goes when its group has failed. */

import type { Case, Suite } from "../case.ts";

const overflow = {
  status: 400,
  message:
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please reduce the length of the messages.",
  code: "context_length_exceeded",
};
const filtered = {
  status: 400,
  message: "Your request was rejected as a result of our safety system.",
  code: "content_policy_violation",
};

/** Two groups, each with one deployment. */
function pair(name: string, first: Case["steps"][number]["model"], status: number): Case {
  return {
    name,
    groups: { [first]: [`${first}1`], [`${first}-spare`]: [`${first}2`] },
    scripts: { [`${first}1`]: [status] },
    steps: [{ model: first }],
  };
}

const toSpare = (...groups: readonly string[]): readonly unknown[] => groups.map((group) => ({ [group]: [`${group}-spare`] }));

export const fallbackTables: Suite = {
  name: "fallbacks",
  settings: {
    router_settings: {
      num_retries: 0,
      fallbacks: [
        ...toSpare("f500", "f429", "f401", "f404", "f400", "f408", "f422", "two429", "unaided", "own", "mocked", "stalled", "fstream"),
        { chain: ["chain-b", "chain-c"] },
        { nested: ["nested-b"] },
        { "nested-b": ["nested-c"] },
        { allfail: ["allfail-b", "allfail-c"] },
        { toid: ["toid2"] },
        { nowhere: ["no-such-group", "nowhere-c"] },
        { itself: ["itself", "itself-b"] },
        { claudef: ["claudef-b"] },
        { withparams: [{ model: "withparams-b" }] },
        { overflowed: ["overflowed-b"] },
        { blocked: ["blocked-b"] },
      ],
    },
    general_settings: { dangerously_allow_mock_testing_request_params: true },
  },
  cases: [
    ...[500, 429, 401, 404, 400, 408, 422].map((status) => pair(`${status} then the fallback`, `f${status}`, status)),
    {
      name: "both deployments limited, then the fallback",
      groups: { two429: ["two1", "two2"], "two429-spare": ["two3"] },
      scripts: { "two1 two2": [429] },
      steps: [{ model: "two429", body: { num_retries: 2 } }],
    },
    {
      name: "the second fallback answers",
      groups: { chain: ["chain1"], "chain-b": ["chain2"], "chain-c": ["chain3"] },
      scripts: { chain1: [500], chain2: [500] },
      steps: [{ model: "chain" }],
    },
    {
      name: "a fallback of a fallback",
      groups: { nested: ["nested1"], "nested-b": ["nested2"], "nested-c": ["nested3"] },
      scripts: { nested1: [500], nested2: [500] },
      steps: [{ model: "nested" }],
    },
    {
      name: "all fallbacks fail, each in its own way",
      groups: { allfail: ["all1"], "allfail-b": ["all2"], "allfail-c": ["all3"] },
      scripts: { all1: [500], all2: [401], all3: [429] },
      steps: [{ model: "allfail" }],
    },
    {
      name: "a fallback to the id of a deployment",
      groups: { toid: ["toid1"], "toid-b": ["toid2", "toid3"] },
      scripts: { toid1: [500] },
      steps: [{ model: "toid" }],
    },
    {
      name: "a fallback that does not exist is passed over",
      groups: { nowhere: ["nowhere1"], "nowhere-c": ["nowhere3"] },
      scripts: { nowhere1: [500] },
      steps: [{ model: "nowhere" }],
    },
    {
      name: "a group among its own fallbacks",
      groups: { itself: ["itself1"], "itself-b": ["itself2"] },
      scripts: { itself1: [500] },
      steps: [{ model: "itself" }],
    },
    {
      name: "a fallback written as a mapping",
      groups: { withparams: ["with1"], "withparams-b": ["with2"] },
      scripts: { with1: [500] },
      steps: [{ model: "withparams" }],
    },
    {
      name: "a context overflow takes the general fallbacks where it has none of its own",
      groups: { overflowed: ["over1"], "overflowed-b": ["over2"] },
      scripts: { over1: [overflow] },
      steps: [{ model: "overflowed" }],
    },
    {
      name: "a blocked content takes the general fallbacks where it has none of its own",
      groups: { blocked: ["blocked1"], "blocked-b": ["blocked2"] },
      scripts: { blocked1: [filtered] },
      steps: [{ model: "blocked" }],
    },
    {
      name: "disable_fallbacks in the body",
      groups: { unaided: ["unaided1"], "unaided-spare": ["unaided2"] },
      scripts: { unaided1: [500] },
      steps: [{ model: "unaided", body: { disable_fallbacks: true } }],
    },
    {
      name: "fallbacks in the body, as names",
      groups: { own: ["own1"], "own-spare": ["own2"], "own-other": ["own3"] },
      scripts: { own1: [500] },
      steps: [{ model: "own", body: { fallbacks: ["own-other"] } }],
    },
    {
      name: "fallbacks in the body, as mappings",
      groups: { maps: ["maps1"], "maps-b": ["maps2"] },
      scripts: { maps1: [500] },
      steps: [{ model: "maps", body: { fallbacks: [{ model: "maps-b", temperature: 0.5 }] } }],
    },
    {
      name: "fallbacks in the body, by group",
      groups: { bygroup: ["by1"], "bygroup-b": ["by2"] },
      scripts: { by1: [500] },
      steps: [{ model: "bygroup", body: { fallbacks: [{ bygroup: ["bygroup-b"] }] } }],
    },
    {
      name: "a context overflow with context_window_fallbacks in the body",
      groups: { overbody: ["overbody1"], "overbody-b": ["overbody2"] },
      scripts: { overbody1: [overflow] },
      steps: [{ model: "overbody", body: { context_window_fallbacks: [{ overbody: ["overbody-b"] }] } }],
    },
    {
      name: "mock_testing_fallbacks",
      groups: { mocked: ["mocked1"], "mocked-spare": ["mocked2"] },
      steps: [{ model: "mocked", body: { mock_testing_fallbacks: true } }],
    },
    {
      name: "an upstream that stalls, then the fallback",
      groups: { stalled: [{ id: "stalled1", params: { timeout: 0.4 } }], "stalled-spare": ["stalled2"] },
      scripts: { stalled1: ["stall"] },
      steps: [{ model: "stalled" }],
    },
    {
      name: "a stream that is refused, then the fallback",
      groups: { fstream: ["fstream1"], "fstream-spare": ["fstream2"] },
      scripts: { fstream1: [500] },
      steps: [{ model: "fstream", body: { stream: true } }],
    },
    {
      name: "Messages: 500 then the fallback",
      groups: { claudef: [{ id: "claudef1", provider: "anthropic" }], "claudef-b": [{ id: "claudef2", provider: "anthropic" }] },
      scripts: { claudef1: [500] },
      steps: [{ model: "claudef", wire: "anthropic" }],
    },
  ],
};

export const specialFallbacks: Suite = {
  name: "fallbacks for overflows and blocked contents",
  settings: {
    router_settings: {
      num_retries: 0,
      fallbacks: [
        { small: ["small-general"] },
        { unlisted: ["unlisted-general"] },
        { strict: ["strict-general"] },
        { shy: ["shy-general"] },
      ],
      context_window_fallbacks: [{ small: ["small-large"] }],
      content_policy_fallbacks: [{ strict: ["strict-lax"] }],
    },
    general_settings: { dangerously_allow_mock_testing_request_params: true },
  },
  cases: [
    {
      name: "a context overflow takes its own fallbacks",
      groups: { small: ["small1"], "small-general": ["small2"], "small-large": ["small3"] },
      scripts: { small1: [overflow, 500, 200] },
      steps: [{ model: "small" }, { model: "small" }, { model: "small", body: { mock_testing_context_fallbacks: true } }],
    },
    {
      name: "a context overflow of a group that the table does not name",
      groups: { unlisted: ["unlisted1"], "unlisted-general": ["unlisted2"] },
      scripts: { unlisted1: [overflow] },
      steps: [{ model: "unlisted" }],
    },
    {
      name: "a blocked content takes its own fallbacks",
      groups: { strict: ["strict1"], "strict-general": ["strict2"], "strict-lax": ["strict3"] },
      scripts: { strict1: [filtered, 500, 200] },
      steps: [{ model: "strict" }, { model: "strict" }, { model: "strict", body: { mock_testing_content_policy_fallbacks: true } }],
    },
    {
      name: "a blocked content of a group that the table does not name",
      groups: { shy: ["shy1"], "shy-general": ["shy2"] },
      scripts: { shy1: [filtered] },
      steps: [{ model: "shy" }],
    },
  ],
};

export const defaultFallbacks: Suite = {
  name: "default fallbacks",
  settings: {
    router_settings: {
      num_retries: 0,
      fallbacks: [{ named: ["named-b"] }, { first: ["first-b", "first-c"] }],
      default_fallbacks: ["rescue"],
    },
  },
  cases: [
    {
      name: "default_fallbacks",
      groups: {
        unnamed: ["unnamed1"],
        named: ["named1"],
        "named-b": ["named2"],
        first: ["first1"],
        "first-b": ["first2"],
        "first-c": ["first3"],
        rescue: ["rescue1"],
      },
      scripts: { unnamed1: [500], named1: [500], first1: [500], first2: [500] },
      steps: [{ model: "unnamed" }, { model: "named" }, { model: "first" }, { model: "gpt-nobody" }],
    },
  ],
};

export const maxFallbacks: Suite = {
  name: "max_fallbacks",
  settings: {
    router_settings: {
      num_retries: 0,
      max_fallbacks: 2,
      fallbacks: [{ many: ["m2", "m3", "m4"] }, { deep: ["deep-b"] }, { "deep-b": ["deep-c"] }, { "deep-c": ["deep-d"] }],
    },
  },
  cases: [
    {
      name: "max_fallbacks 2: a list of three fallbacks",
      groups: { many: ["many1"], m2: ["many2"], m3: ["many3"], m4: ["many4"] },
      scripts: { many1: [500], many2: [500], many3: [500] },
      steps: [{ model: "many" }],
    },
    {
      name: "max_fallbacks 2: three fallbacks, each of the one before",
      groups: { deep: ["deep1"], "deep-b": ["deep2"], "deep-c": ["deep3"], "deep-d": ["deep4"] },
      scripts: { deep1: [500], deep2: [500], deep3: [500] },
      steps: [{ model: "deep" }],
    },
  ],
};
