/** OpenAI's SDK, Responses, without state on the host. */

import OpenAI from "openai";
import type {
  Response,
  ResponseCreateParamsNonStreaming,
  ResponseInputImage,
  ResponseInputItem,
} from "openai/resources/responses/responses";

import { InBandError, type Chat, type ChatOptions, type Client, type Image, type Said, type UserTurn } from "./client.ts";
import { openaiFailure } from "./openai-chat.ts";

export const openaiResponsesClient: Client = {
  name: "openai-responses",
  seesRetryAfter: true,
  hasImagesInResults: true,
  open,
  failure: openaiFailure,
};

function open(options: ChatOptions): Chat {
  const client = new OpenAI({ apiKey: "sk-of-the-caller", baseURL: `${options.baseUrl}/v1`, maxRetries: 0 });
  let { model } = options;
  const input: ResponseInputItem[] = [];
  const tools: NonNullable<ResponseCreateParamsNonStreaming["tools"]> = (options.tools ?? []).map(({ name, description, schema }) => ({
    type: "function",
    name,
    description,
    parameters: { ...schema },
    strict: false,
  }));
  if (options.webSearch === true) tools.push({ type: "web_search" });
  return {
    async say(turn, how, { signal, onText, model: next = model } = {}) {
      model = next;
      input.push(...itemsOf(turn));
      const request: ResponseCreateParamsNonStreaming = {
        model,
        max_output_tokens: 4000,
        input,
        store: false,
        include: ["reasoning.encrypted_content"],
        ...(options.system === undefined ? {} : { instructions: options.system }),
        ...(tools.length === 0 ? {} : { tools }),
        ...(options.thinking === true ? { reasoning: { effort: "medium", summary: "auto" } } : {}),
      };
      const requestOptions = signal === undefined ? {} : { signal };
      let deltas = 0;
      let response: Response | undefined;
      if (how === "whole") response = await client.responses.create(request, requestOptions);
      else {
        // The helper checks the order of the events while it gathers them.
        const stream = client.responses.stream({ ...request, stream: true }, requestOptions);
        for await (const event of stream) {
          if (event.type === "response.output_text.delta") {
            deltas += 1;
            onText?.(event.delta);
          } else if (event.type === "response.completed" || event.type === "response.incomplete") response = event.response;
          else if (event.type === "response.failed") throw new InBandError(event.response.error?.message ?? "failed");
          else if (event.type === "error") throw new InBandError(event.message);
        }
        const gathered = await stream.finalResponse();
        if (gathered.output_text !== textOf(response)) throw new Error("what was gathered is not what the end of the stream says");
      }
      if (response === undefined) throw new InBandError("the stream has no end");
      input.push(...response.output.map(plain));
      return said(response, deltas);
    },
  };
}

function textOf(response: Response | undefined): string {
  return (response?.output ?? [])
    .flatMap((item) => (item.type === "message" ? item.content : []))
    .map((part) => (part.type === "output_text" ? part.text : ""))
    .join("");
}

/** The stream helper adds what it parsed; that is not part of the protocol. */
function plain(item: Response["output"][number]): ResponseInputItem {
  const copy = JSON.parse(
    JSON.stringify(item, (key: string, value: unknown) => (key === "parsed" || key === "parsed_arguments" ? undefined : value)),
  );
  return copy as ResponseInputItem;
}

function itemsOf({ text, images = [], document, results = [] }: UserTurn): ResponseInputItem[] {
  const parts = [
    ...images.map(imageOf),
    ...(document === undefined
      ? []
      : [{ type: "input_file" as const, filename: "report.pdf", file_data: `data:application/pdf;base64,${document}` }]),
    ...(text === undefined ? [] : [{ type: "input_text" as const, text }]),
  ];
  return [
    ...results.map((result) => ({
      type: "function_call_output" as const,
      call_id: result.call.id,
      output: result.image === undefined ? result.text : [{ type: "input_text" as const, text: result.text }, imageOf(result.image)],
    })),
    ...(parts.length === 0 ? [] : [{ role: "user" as const, content: parts }]),
  ];
}

function imageOf({ mediaType, data }: Image): ResponseInputImage {
  return { type: "input_image", detail: "auto", image_url: `data:${mediaType};base64,${data}` };
}

function said(response: Response, deltas: number): Said {
  const contents = response.output.flatMap((item) => (item.type === "message" ? item.content : []));
  const refusals = contents.flatMap((part) => (part.type === "refusal" ? [part.refusal] : []));
  const calls = response.output.flatMap((item) =>
    item.type === "function_call" ? [{ id: item.call_id, name: item.name, input: JSON.parse(item.arguments) }] : [],
  );
  const reason = response.incomplete_details?.reason;
  return {
    text: refusals.length > 0 ? refusals.join("") : textOf(response),
    thinking: response.output
      .flatMap((item) => (item.type === "reasoning" ? item.summary : []))
      .map((part) => part.text)
      .join(""),
    calls,
    end:
      reason === "max_output_tokens"
        ? "length"
        : reason === "content_filter" || refusals.length > 0
          ? "refusal"
          : calls.length > 0
            ? "tools"
            : "stop",
    inputTokens: response.usage?.input_tokens ?? -1,
    cachedTokens: response.usage?.input_tokens_details.cached_tokens ?? 0,
    outputTokens: response.usage?.output_tokens ?? -1,
    deltas,
    sources: contents.flatMap((part) =>
      part.type === "output_text"
        ? part.annotations.flatMap((annotation) => (annotation.type === "url_citation" ? [annotation.url] : []))
        : [],
    ),
  };
}
