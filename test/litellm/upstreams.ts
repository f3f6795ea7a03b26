/** The upstreams of a case: one server per deployment, which keeps to the script and notes that it was asked. */

import { anthropicWire } from "../helpers/wires/anthropic.ts";
import { openaiChatWire } from "../helpers/wires/openai-chat.ts";
import { says } from "../helpers/wires/script.ts";
import type { Wire } from "../helpers/wires/wire.ts";
import { cutReply, errorReply, jsonReply, noReply, rawReply, type Reply } from "../helpers/replies.ts";
import { startUpstream, type Upstream, type UpstreamRequest } from "../helpers/upstream.ts";
import { type Answer, type Case, deploymentsOf, type Suite } from "./case.ts";

export interface Call {
  readonly deployment: string;
  readonly model: string;
}

export interface ScriptedSuite extends AsyncDisposable {
  /** Without a path. */
  apiBaseOf(id: string): string;
  /** Requests of a case so far, in the order of their arrival. */
  callsOf(scripted: Case): readonly Call[];
}

export async function startUpstreams(suite: Suite): Promise<ScriptedSuite> {
  const servers = new Map<string, Upstream>();
  const calls = new Map<Case, Call[]>();
  for (const scripted of suite.cases) {
    const noted: Call[] = [];
    calls.set(scripted, noted);
    const answers = sequences(scripted);
    for (const { id, provider = "openai" } of deploymentsOf(scripted)) {
      if (servers.has(id)) throw new Error(`two deployments of "${suite.name}" are called ${id}`);
      const wire = provider === "openai" ? openaiChatWire : anthropicWire;
      const server = await startUpstream();
      const answer = (request: UpstreamRequest): Reply => {
        if (!wire.isGeneration(request.path)) return errorReply(404, { message: `nobody asks for ${request.method} ${request.path} here` });
        noted.push({ deployment: id, model: wire.read(request).model });
        return replyTo(answers(id), id, wire, request);
      };
      server.script(answer);
      server.script(answer, "*");
      servers.set(id, server);
    }
  }
  return {
    apiBaseOf(id) {
      const server = servers.get(id);
      if (server === undefined) throw new Error(`no upstream is called ${id}`);
      return server.url;
    },
    callsOf: (scripted) => calls.get(scripted) ?? [],
    async [Symbol.asyncDispose]() {
      await Promise.all([...servers.values()].map((server) => server.close()));
    },
  };
}

/** The next answer of a deployment. */
function sequences({ name, scripts = {}, ...scripted }: Case): (id: string) => Answer {
  const known = new Set(deploymentsOf({ name, ...scripted }).map(({ id }) => id));
  const positions = new Map<string, { readonly answers: readonly Answer[]; next: number }>();
  for (const [ids, answers] of Object.entries(scripts)) {
    const shared = { answers, next: 0 };
    for (const id of ids.split(" ")) {
      if (!known.has(id)) throw new Error(`"${name}" has a script for ${id}, which is none of its deployments`);
      positions.set(id, shared);
    }
  }
  return (id) => {
    const position = positions.get(id);
    if (position === undefined) return 200;
    const answer = position.answers[Math.min(position.next, position.answers.length - 1)];
    position.next += 1;
    if (answer === undefined) throw new Error(`the script of ${id} is empty`);
    return answer;
  };
}

function replyTo(answer: Answer, id: string, wire: Wire, request: UpstreamRequest): Reply {
  switch (answer) {
    case "stall":
      return noReply();
    case "reset":
      return cutReply("reset");
    case "stream-error":
      return streamed(wire, (write, end) => {
        write(wire.streamFailure("scripted failure before the first event"));
        end();
      });
    case "stream-stall":
      return streamed(wire, () => undefined);
    default:
  }
  const { status, message = `scripted ${status}`, type, code, headers = {} } = typeof answer === "number" ? { status: answer } : answer;
  const asked = wire.read(request);
  if (status === 200) {
    if (!asked.stream) return jsonReply(wire.whole(says(id), asked));
    return streamed(wire, (write, end) => {
      for (const piece of wire.stream(says(id), asked)) write(piece.bytes);
      end();
    });
  }
  if (wire.name === "anthropic") return errorReply(status, { message, headers, ...(type === undefined ? {} : { type }) });
  return jsonReply(
    { error: { message, type: type ?? errorTypes[status] ?? "server_error", param: null, code: code ?? null } },
    { status, headers },
  );
}

function streamed(wire: Wire, send: (write: (bytes: Uint8Array) => void, end: () => void) => void): Reply {
  return rawReply((response) => {
    response.writeHead(200, wire.streamHeaders);
    response.flushHeaders();
    send(
      (bytes) => void response.write(bytes),
      () => void response.end(),
    );
  });
}

/** As OpenAI names them. https://platform.openai.com/docs/guides/error-codes */
const errorTypes: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "invalid_request_error",
  403: "invalid_request_error",
  404: "invalid_request_error",
  422: "invalid_request_error",
  429: "requests",
};
