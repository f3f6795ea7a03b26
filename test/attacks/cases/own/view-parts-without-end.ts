import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "parts of the request that are not there, asked for and caught",
  where: "preCall",
  body: String.raw`for (const key of ["system", "tools", "max_tokens"]) try { void request[key]; } catch {}
for (let i = 0; i < 1000; i++) try { void request.messages[i]; } catch {}
for (;;) try { request.messages.map((message) => message.content); return "read"; } catch {}`,
  sliceMs: 50,
  expected: ["timeout", { value: "read" }],
  why: "It loops as long as a part is missing and ends once all are there; which comes first is up to the proxy.",
};
export default attack;
