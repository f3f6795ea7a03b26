/** An application of its own behind the real listener and the real gate, which notes what got through. */

import { once } from "node:events";

import Koa from "koa";

import { listen } from "../../core/listen.ts";
import { createGate, type GatePolicy } from "../../core/stages/gate.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { type RawResponse, requestRaw, requestText } from "./raw-http.ts";

export interface GatePass {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly run: unknown;
}

export interface GuardedServer extends AsyncDisposable {
  readonly port: number;
  /** What got through, in order. */
  readonly passed: readonly GatePass[];
  setPolicy(policy: GatePolicy): void;
  /** Forgets what got through, and the policy. */
  reset(): void;
  ask(target: string, headers?: readonly string[], method?: string): Promise<RawResponse>;
}

const strict: GatePolicy = { allowedHosts: [], acceptLocalAddress: false };

export async function startGuardedServer(host: string = "127.0.0.1"): Promise<GuardedServer> {
  const passed: GatePass[] = [];
  let policy = strict;
  const app = new Koa();
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      ctx.status = error.status;
      ctx.body = error.message;
    }
  });
  app.use(createGate(() => policy));
  app.use((ctx) => {
    passed.push({ method: ctx.method, url: ctx.url, path: ctx.path, run: ctx.state.run });
    ctx.body = "passed";
  });
  const handle = app.callback();
  const { server, port } = await listen((request, response) => void handle(request, response), { host, port: 0, onError: () => undefined });
  return {
    port,
    passed,
    setPolicy: (next) => (policy = next),
    reset() {
      passed.length = 0;
      policy = strict;
    },
    ask: (target, headers = [], method = "GET") => requestRaw(port, requestText(port, target, { headers, method })),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
