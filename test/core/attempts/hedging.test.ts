import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type Answer, ask } from "../../helpers/client.ts";
import { recordsOf, statusOf, traceOf, untilIdle } from "../../helpers/exchanges.ts";
import { type Proxy, deployment, startProxy } from "../../helpers/proxy.ts";
import { errorReply, noReply, streamReply, textReply } from "../../helpers/replies.ts";
import { type Upstream, startUpstream } from "../../helpers/upstream.ts";

let slow: Upstream;
let quick: Upstream;
let proxy: Proxy;

beforeEach(async () => {
  [slow, quick] = await Promise.all([startUpstream(noReply()), startUpstream(textReply("from the other"))]);
  const entry = (upstream: Upstream, order: number): unknown =>
    deployment("m", upstream.url, { order, hedge_after_ms: 20, num_retries: 1, ...(upstream === quick ? { api_key: "k2" } : {}) });
  proxy = await startProxy({ config: { model_list: [entry(slow, 1), entry(quick, 2)] } });
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await Promise.all([slow.close(), quick.close()]);
});

const body = (stream: boolean): string =>
  JSON.stringify({ model: "m", max_tokens: 5, stream, messages: [{ role: "user", content: "hi" }] });
const send = (stream = true): Promise<Answer> => ask(proxy.url, body(stream));

async function inFlight(): Promise<readonly number[]> {
  await untilIdle(proxy);
  return (await statusOf(proxy)).deployments.map((each) => each.inFlight);
}

describe("a deployment that is slow to begin", () => {
  it.each([true, false])("is left for another one that has content first; streamed: %s", async (stream) => {
    const answer = await send(stream);
    expect([answer.status, answer.headers["x-ccproxy-attempts"]]).toEqual([200, "2"]);
    expect(answer.text).toContain("from the other");
    await slow.requests[0]?.aborted;
    expect([slow.requests.length, quick.requests.length]).toEqual([1, 1]);
    expect(await inFlight()).toEqual([0, 0]);
    expect((await traceOf(proxy, answer)).map(({ what }) => what)).toContain("asking another deployment as well");
  });

  it("is taken when it is the first after all, and the other is let go", async () => {
    const goAhead = Promise.withResolvers<void>();
    slow.script(async () => {
      await goAhead.promise;
      return textReply("from the first");
    });
    quick.script(noReply());
    const asked = quick.nextRequest();
    const answer = send();
    const other = await asked;
    goAhead.resolve();
    expect((await answer).text).toContain("from the first");
    await other.aborted;
    expect(await inFlight()).toEqual([0, 0]);
    expect((await recordsOf(proxy))[0]).toMatchObject({ attempts: 2, outcome: "completed" });
  });

  it("is waited for when the other one fails", async () => {
    const goAhead = Promise.withResolvers<void>();
    slow.script(async () => {
      await goAhead.promise;
      return textReply("from the first");
    });
    quick.script(() => {
      setImmediate(goAhead.resolve);
      return errorReply(500);
    });
    expect((await send()).text).toContain("from the first");
    expect(await inFlight()).toEqual([0, 0]);
  });

  it("and the other are each one attempt that failed", async () => {
    slow.script(async (_, index) => {
      if (index === 0) await quick.nextRequest();
      return errorReply(500, { message: "the first" });
    });
    quick.script(errorReply(500, { message: "the other" }));
    const answer = await send();
    expect(answer.status).toBe(500);
    expect(await inFlight()).toEqual([0, 0]);
    const trace = await traceOf(proxy, answer);
    const failed = trace.filter(({ what }) => what === "failed").map(({ detail }) => detail?.["deployment"]);
    expect(new Set(failed).size).toBe(2);
  });
});

it("a deployment that begins in time is the only one that is asked", async () => {
  slow.script(streamReply({ text: "at once" }));
  expect((await send()).text).toContain("at once");
  expect(quick.requests).toEqual([]);
});
