import { expect, it } from "vitest";
import { bodyOf, openSandbox, phaseCall, unitsOf } from "../../helpers/sandboxes.ts";

it("an answer on which reading fails is no answer for ever: its caller hears of it, and others go on", async () => {
  const program = await openSandbox().load(
    unitsOf([`{ run: () => ({ need: [["messages", 0]] }) }`, "{ run: () => ({ writes: { annotations: { ok: true } } }) }"]),
  );
  const body = bodyOf({ messages: [1, 2, 3] });
  let looks = 0;
  const moody = {
    ...body,
    get shape() {
      // Once for the message, and once more when its answer is read.
      if (++looks > 2) throw new Error("the body is gone");
      return body.shape;
    },
  };
  await expect(program.run(phaseCall([0], { body: moody }))).rejects.toThrow("the body is gone");
  expect(await program.run(phaseCall([1]))).toMatchObject([{ writes: { annotations: { ok: true } } }]);
});
