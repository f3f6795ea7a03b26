/** Runs all cases of a suite against one gateway. */

import { type Suite, configOf } from "./case.ts";
import { type Gateway, outcomeOf } from "./outcome.ts";
import { startUpstreams } from "./upstreams.ts";

/** By the name of the case. */
export type Outcomes = Readonly<Record<string, string>>;

/** Starts a gateway with this configuration. */
export type StartGateway = (config: unknown) => Promise<Gateway & AsyncDisposable>;

/** Most of the time of a case is spent waiting, on LiteLLM's side. */
const atOnce = 4;

export async function runSuite(suite: Suite, start: StartGateway): Promise<Outcomes> {
  await using upstreams = await startUpstreams(suite);
  await using gateway = await start(configOf(suite, (id) => upstreams.apiBaseOf(id)));
  const outcomes = new Map<string, string>();
  const queue = suite.cases.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const scripted of queue) outcomes.set(scripted.name, await outcomeOf(scripted, gateway, upstreams));
    }),
  );
  return Object.fromEntries(suite.cases.map(({ name }) => [name, outcomes.get(name) ?? ""]));
}
