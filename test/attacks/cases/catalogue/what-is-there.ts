import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "process, require, fetch, timers and other doors",
  where: "preCall",
  body: String.raw`const doors = ["process", "require", "module", "exports", "Buffer", "global", "Deno", "Bun", "performance", "navigator", "Worker", "MessageChannel", "XMLHttpRequest", "WebSocket", "SharedWorker", "postMessage", "importScripts", "WebAssembly", "SharedArrayBuffer", "Atomics", "FinalizationRegistry", "WeakRef", "gc", "d8", "print", "load", "read", "quit", "ShadowRealm"];
const calls = [() => fetch("http://127.0.0.1/"), () => setTimeout(() => {}, 0), () => setInterval(() => {}, 0), () => crypto.randomUUID()];
return doors.filter((name) => name in globalThis).join() + calls.map((call) => { try { call(); return "works"; } catch (error) { return error.name; } }).join();`,
  expected: [{ value: "SandboxError,SandboxError,SandboxError,SandboxError" }],
};
export default attack;
