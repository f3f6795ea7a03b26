/** `GET /v1/models`: every model group that the caller may ask for, in its own list shape. */

import type Router from "koa-router";

import type { ListedModel, ModelList } from "../../sdk/dialect.ts";
import type { Services } from "../services.ts";
import { readRequestHeaders } from "../upstream/headers.ts";
import { allowedModels } from "../stages/model-rights.ts";
import { callerOf, createRequireKey } from "./require-caller.ts";

export function addModels(router: Router, services: Services): void {
  router.get(["/v1/models", "/models"], createRequireKey(services), (ctx) => {
    const { routes } = services.snapshot();
    const { holder } = callerOf(ctx);
    const listed = holder === undefined ? routes.listed : allowedModels(holder, routes);
    const headers = readRequestHeaders(ctx.req);
    const list = services.registry.modelLists.find((candidate) => candidate.accepts(headers));
    if (list === undefined) {
      ctx.body = commonList(listed);
      return;
    }
    const reply = list.encode(withPublicIds(listed, list));
    ctx.status = reply.status;
    for (const [name, value] of reply.headers) ctx.set(name, value);
    ctx.body = Buffer.concat(reply.chunks);
  });
}

/** A group that this client would ignore is listed a second time, under an id it accepts. */
function withPublicIds(groups: readonly string[], list: ModelList): readonly ListedModel[] {
  const taken = new Set(groups);
  return groups.flatMap((group) => {
    const own: ListedModel = { id: group, displayName: group };
    const id = list.publicId(group);
    return id === group || taken.has(id) ? [own] : [own, { id, displayName: `${group} (ccproxy)` }];
  });
}

/** The list shape that OpenAI's API set and most clients read. */
function commonList(groups: readonly string[]): unknown {
  return { object: "list", data: groups.map((id) => ({ id, object: "model", created: 0, owned_by: "ccproxy" })) };
}
