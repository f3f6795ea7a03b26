/** The text of a streamed reply in Anthropic's protocol, piece by piece as it arrives. */

import { StringDecoder } from "node:string_decoder";

export async function* textDeltas(reply: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new StringDecoder("utf8");
  let buffered = "";
  for await (const chunk of reply) {
    const events = (buffered + decoder.write(Buffer.from(chunk))).split("\n\n");
    buffered = events.pop() ?? "";
    for (const event of events) {
      const text = textOf(event);
      if (text !== undefined) yield text;
    }
  }
}

function textOf(event: string): string | undefined {
  const line = event.split("\n").find((candidate) => candidate.startsWith("data:"));
  if (line === undefined) return undefined;
  const data: { readonly type?: unknown; readonly delta?: { readonly type?: unknown; readonly text?: unknown } } = JSON.parse(
    line.slice(5),
  );
  return data.type === "content_block_delta" && typeof data.delta?.text === "string" ? data.delta.text : undefined;
}
