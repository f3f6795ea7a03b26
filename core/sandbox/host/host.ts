/** Takes the messages of the proxy one after the other and sees to it that each gets its answer. */

import type { ToHost } from "../protocol.ts";
import { createCalls } from "./calls.ts";
import { createProgram, type Program } from "./program.ts";
import { createStreams } from "./streams.ts";

export interface Host {
  handle(message: unknown, payload: Uint8Array): void;
  /** Whether isolates were disposed of since the last time. */
  takeLeftovers(): boolean;
  dispose(): void;
}

/** @param write sends one message, JSON; returns when it is on its way */
export function createHost(write: (json: string) => void): Host {
  const programs = new Map<number, Program>();
  const calls = createCalls(programs, write);
  const streams = createStreams(programs, write);
  let hasLeftovers = false;

  return {
    // Comes from the proxy, through a socket that nobody else has.
    handle(header, payload) {
      const message = header as ToHost;
      switch (message.type) {
        case "load": {
          const program = createProgram(message.version, message.units, message.runtime);
          programs.get(message.version)?.dispose();
          programs.set(message.version, program);
          const manifests = program.load((unit) => write(`{"type":"progress","id":${message.id},"unit":${unit}}`));
          return write(`{"type":"loaded","id":${message.id},"units":[${manifests.join(",")}]}`);
        }
        case "unload":
          programs.get(message.version)?.dispose();
          programs.delete(message.version);
          calls.forget(message.version);
          streams.forget(message.version);
          hasLeftovers = true;
          return;
        case "call":
          return calls.begin(message, payload);
        case "resume":
          return calls.resume(message.id, message.results);
        case "abort":
          return calls.abort(message.id, message.reason, message.force);
        case "events":
          return streams.push(message);
        case "end-stream":
          return streams.end(message.stream);
      }
    },
    takeLeftovers() {
      const had = hasLeftovers;
      hasLeftovers = false;
      return had;
    },
    dispose() {
      for (const program of programs.values()) program.dispose();
      programs.clear();
    },
  };
}
