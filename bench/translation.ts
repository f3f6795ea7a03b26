/** What translation itself costs, in this process: a request to each wire, and each event of a stream back from it. */

import { decodeStream } from "../core/translation/upstream-events.ts";
import { HubWatch } from "../core/translation/hub-watch.ts";
import { writeEvents } from "../core/stream/event-source.ts";
import { builtinPlugins } from "../plugins/index.ts";
import type { JsonObject } from "../sdk/events.ts";
import type { Encoded, Wire as PluginWire } from "../sdk/wire.ts";
import { claudeCodeBody } from "../test/helpers/claude-body.ts";
import { hubTarget } from "../test/helpers/hub-target.ts";
import { bedrockWire } from "../test/helpers/wires/bedrock.ts";
import { geminiWire } from "../test/helpers/wires/gemini.ts";
import { openaiChatWire } from "../test/helpers/wires/openai-chat.ts";
import { openaiResponsesWire } from "../test/helpers/wires/openai-responses.ts";
import { pieces } from "../test/helpers/wires/script.ts";
import type { Asked, Wire } from "../test/helpers/wires/wire.ts";
import type { UpstreamRequest } from "../test/helpers/upstream.ts";
import { bodySizes, benchModel, type BodySize } from "./bodies.ts";
import { median } from "./statistics.ts";

export interface TranslationCost {
  readonly wire: string;
  /** From the bytes of the hub's request to those of the wire's, ms, by size of the former. */
  readonly requestP50Ms: Readonly<Record<BodySize, number>>;
  /** Processor time, from the bytes of an event of the wire to those of the hub's, µs. */
  readonly cpuUsPerEvent: number;
}

const wires: readonly Wire[] = [openaiChatWire, openaiResponsesWire, geminiWire, bedrockWire];
const bytes: Readonly<Record<BodySize, number>> = { "50k": 50 * 1024, "1m": 1024 * 1024 };

/** @param runs requests of each size; a quarter as many streams */
export async function measureTranslation(runs: number): Promise<readonly TranslationCost[]> {
  const costs: TranslationCost[] = [];
  for (const wire of wires) {
    const own = wireOf(wire.name);
    if (own?.encode === undefined) continue;
    const encode = own.encode.bind(own);
    const target = hubTarget({ model: "gpt-4.1" });
    const translate = (body: Buffer): Encoded =>
      encode(
        { body: JSON.parse(body.toString()) as JsonObject, session: "bench", estimatedInputTokens: body.length / 4 },
        target,
        () => undefined,
      );
    const requestP50Ms = { "50k": 0, "1m": 0 };
    let encoded: Encoded | undefined;
    for (const size of bodySizes) {
      const body = claudeCodeBody({ model: benchModel, bytes: bytes[size] });
      const times: number[] = [];
      for (let run = 0; run < runs + 20; run++) {
        const startedAt = performance.now();
        encoded = translate(body);
        Buffer.from(JSON.stringify(encoded.body));
        if (run >= 20) times.push(performance.now() - startedAt);
      }
      requestP50Ms[size] = median(times);
    }
    if (encoded !== undefined) costs.push({ wire: wire.name, requestP50Ms, cpuUsPerEvent: await measureEvents(wire, encoded, runs / 4) });
  }
  return costs;
}

/** As the stages would run it: each event of the upstream in a turn of its own. */
async function measureEvents(wire: Wire, { reader }: Encoded, runs: number): Promise<number> {
  const request = { path: "", url: "" } as unknown as UpstreamRequest;
  const asked: Asked = {
    request,
    body: { stream_options: { include_usage: true } },
    model: "gpt-4.1",
    stream: true,
    system: "",
    turns: [],
    tools: [],
  };
  const text = pieces("an answer of some length, ".repeat(40), 40).join("");
  const parts = Array.from({ length: 25 }, () => ({ type: "text" as const, text }));
  const chunks = wire.stream({ parts }, asked).map((piece) => piece.bytes);
  const once = async (): Promise<void> => {
    const source = decodeStream(each(chunks), unframed(wire, reader.stream()), new HubWatch());
    for await (const written of writeEvents(source)) if (written.length === 0) throw new Error("an empty piece was written");
  };
  for (let run = 0; run < runs / 4 + 5; run++) await once();
  const before = process.cpuUsage();
  for (let run = 0; run < runs; run++) await once();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (runs * chunks.length);
}

type Decoder = ReturnType<Encoded["reader"]["stream"]>;

/** Frames belong to the provider. */
function unframed(wire: Wire, decoder: Decoder): Decoder {
  const unframer = builtinPlugins
    .flatMap((plugin) => plugin.setup().providers ?? [])
    .find((provider) => provider.names.includes("bedrock"))
    ?.unframe?.(wire.streamHeaders["content-type"] ?? "");
  if (unframer === undefined || wire.name !== "bedrock-converse") return decoder;
  return { push: (chunk) => decoder.push(unframer.push(chunk)), end: () => decoder.end() };
}

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function wireOf(name: string): PluginWire | undefined {
  return builtinPlugins.flatMap((plugin) => plugin.setup().dialects ?? []).find((dialect) => dialect.name === name)?.wire;
}
