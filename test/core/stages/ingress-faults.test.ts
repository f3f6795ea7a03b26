import { expect, test } from "vitest";

import { createAnthropicPlugin } from "../../../plugins/anthropic/index.ts";
import { strategies } from "../../../plugins/strategies/index.ts";
import type { Plugin } from "../../../sdk/plugin.ts";
import { ask } from "../../helpers/client.ts";
import { deployment, startProxy } from "../../helpers/proxy.ts";
import { streamReply } from "../../helpers/replies.ts";
import { startUpstream } from "../../helpers/upstream.ts";

/** The dialect, with a defect that shows only once the upstream has answered. */
function defective(): Plugin {
  const plugin = createAnthropicPlugin();
  const watch = (): never => {
    throw new Error("a defect in the dialect");
  };
  return {
    ...plugin,
    setup() {
      const { dialects = [], ...rest } = plugin.setup();
      return {
        ...rest,
        dialects: dialects.map((dialect) =>
          dialect.ingress === undefined ? dialect : { ...dialect, ingress: { ...dialect.ingress, watch } },
        ),
      };
    },
  };
}

test("a defect behind the upstream's answer ends the exchange: an error, one record, nothing left open", async () => {
  await using upstream = await startUpstream(streamReply({ stallAfter: { events: 1 } }));
  await using proxy = await startProxy({
    config: { model_list: [deployment("claude-x", upstream.url)] },
    plugins: [defective(), strategies],
  });
  const arrived = upstream.nextRequest();
  const answer = await ask(proxy.url, JSON.stringify({ model: "claude-x", stream: true, messages: [] }));
  expect(answer.status).toBe(500);
  expect(answer.text).not.toContain("defect");
  await (
    await arrived
  ).aborted;
  await proxy.stop();
  const records = (await proxy.logLines()).filter(({ msg }) => msg === "request");
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({ status: 500, outcome: "refused" });
});
