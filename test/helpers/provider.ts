/** Providers of a plugin under test, and requests and targets to ask them about. */

import { createRequestBody } from "../../core/body/request-body.ts";
import type { HeaderList } from "../../sdk/dialect.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import type { Addressed, ModelQuestion, Outbound, Provider, Variables } from "../../sdk/provider.ts";
import type { Target } from "../../sdk/wire.ts";

export function providerOf(plugin: Plugin, name: string): Provider {
  const provider = plugin.setup().providers?.find(({ names }) => names.includes(name));
  if (provider === undefined) throw new Error(`no provider ${name}`);
  return provider;
}

export const noVariables: Variables = () => undefined;

export function variablesOf(values: Readonly<Record<string, string>>): Variables {
  return (name) => values[name];
}

export interface Asked {
  readonly model: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly info?: Readonly<Record<string, unknown>>;
  readonly apiBase?: string;
  readonly variables?: Variables;
  readonly dialect?: string;
  readonly operation?: Addressed["operation"];
  readonly stream?: boolean;
  readonly body?: unknown;
  readonly headers?: HeaderList;
  readonly search?: string;
}

export function questionOf({ model, apiBase, params = {}, info = {} }: Asked): ModelQuestion {
  return { model, apiBase, params, info };
}

export function targetOf(provider: Provider, asked: Asked): Target {
  const variables = asked.variables ?? noVariables;
  const fromVariable = (provider.baseVariables ?? []).map((name) => variables(name)).find((value) => value !== undefined);
  const apiBase = asked.apiBase ?? fromVariable ?? provider.apiBase?.(questionOf(asked), variables) ?? provider.defaultApiBase ?? "";
  return {
    deploymentId: "d1",
    providerName: provider.names[0] ?? "",
    model: provider.modelId?.(asked.model) ?? asked.model,
    apiBase: apiBase.replace(/\/+$/, ""),
    params: asked.params ?? {},
    modelFacts: {
      contextWindow: undefined,
      maxOutputTokens: undefined,
      images: undefined,
      documents: undefined,
      tools: undefined,
      reasoning: undefined,
    },
    quirks: provider.quirks?.(questionOf(asked)) ?? {},
    producer: "p",
  };
}

export interface Sent {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: unknown;
  readonly outbound: Outbound;
  readonly target: Target;
}

/** What a provider would send. */
export function address(provider: Provider, asked: Asked): Sent {
  const target = targetOf(provider, asked);
  const operation = asked.operation ?? "generate";
  const outbound = provider.address(
    {
      dialect: asked.dialect ?? provider.dialects(questionOf(asked), operation)[0] ?? "none",
      operation,
      stream: asked.stream ?? false,
      body: createRequestBody(Buffer.from(JSON.stringify(asked.body ?? { model: "as-asked", messages: [] }))),
      path: "/v1/messages",
      search: asked.search ?? "",
      headers: asked.headers ?? [],
    },
    target,
  );
  const json: unknown = JSON.parse(Buffer.from(outbound.body).toString());
  return { url: outbound.url, headers: Object.fromEntries(outbound.headers), json, outbound, target };
}
