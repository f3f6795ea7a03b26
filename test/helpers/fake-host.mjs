/**
 * A hook host that does what its units say: the code of each is an expression of an object with `run(message, host)`
 * and `events(batch, host)`, run without any isolate. It speaks the protocol of the real one.
 */

import { Socket } from "node:net";
import { compileFunction } from "node:vm";

const socket = new Socket({ fd: 3, readable: true, writable: true });
const programs = new Map();
const runs = new Map();
let received = Buffer.alloc(0);

export const host = {
  send(header) {
    const json = Buffer.from(JSON.stringify(header));
    const prefix = Buffer.alloc(8);
    prefix.writeUInt32LE(4 + json.length, 0);
    prefix.writeUInt32LE(json.length, 4);
    socket.write(Buffer.concat([prefix, json]));
  },
  raw: (text) => socket.write(text),
  pid: process.pid,
  memory: {},
};

function decided(result) {
  return result.verdict === true || typeof result.verdict === "string" || Boolean(result.decision ?? result.patch ?? result.headers);
}

function load({ id, version, units }) {
  const program = new Map();
  const manifests = units.map((unit, index) => {
    if (index > 0) host.send({ type: "progress", id, unit: unit.unit });
    const module = compileFunction(`return (${unit.code})`, ["host"])(host);
    program.set(unit.unit, module);
    return { unit: unit.unit, phases: ["rule", "preCall", "onEvent"], required: false, buffer: false, ...module.manifest };
  });
  programs.set(version, program);
  host.send({ type: "loaded", id, units: manifests });
}

/** Goes on with a run from the unit at this place. */
function proceed(run, at, first) {
  const { message, outcomes } = run;
  let result = first;
  for (let index = at; index < message.units.length; index++) {
    const unit = message.units[index];
    if (result === undefined) {
      // Rules run in one go, without a word in between.
      if (index > 0 && message.phase !== "rule") host.send({ type: "progress", id: message.id, unit });
      result = programs
        .get(message.version)
        .get(unit)
        .run({ ...message, unit, bodies: run.bodies }, host);
    }
    if (result.need !== undefined) return host.send({ type: "need", id: message.id, unit, parts: result.need });
    if (result.silent === true) return undefined;
    if (result.operations !== undefined) {
      runs.set(message.id, { ...run, at: index, resume: result.resume, abort: result.abort });
      return host.send({ type: "operations", id: message.id, unit, operations: result.operations });
    }
    const outcome = { unit, us: 1, ...result };
    outcomes.push(outcome);
    result = undefined;
    if (decided(outcome)) break;
  }
  runs.delete(message.id);
  return host.send({ type: "done", id: message.id, outcomes });
}

function receive(message, payload) {
  switch (message.type) {
    case "load":
      return load(message);
    case "unload":
      return programs.delete(message.version);
    case "call": {
      const bodies = [];
      let at = 0;
      for (const [, , bytes] of message.parts) bodies.push(payload.toString("utf8", at, (at += bytes)));
      return proceed({ message, bodies, outcomes: [] }, 0, undefined);
    }
    case "resume": {
      const run = runs.get(message.id);
      return proceed(run, run.at, run.resume(message.results));
    }
    case "abort": {
      const run = runs.get(message.id);
      if (message.force) return runs.delete(message.id);
      if (run?.abort === undefined) return host.send({ type: "aborted", id: message.id });
      return proceed(run, run.at, run.abort(message.reason));
    }
    case "events": {
      const streams = message.streams.map((batch) => {
        const units = [];
        let events = batch.events.map(() => 0);
        for (const [index, unit] of batch.units.entries()) {
          if (index > 0) host.send({ type: "progress", id: message.id, unit });
          const result = programs
            .get(message.version)
            .get(unit)
            .events({ ...batch, message: message.id }, host);
          units.push({ unit, us: 1, ...result });
          events = result.events ?? events;
        }
        return { stream: batch.stream, events, units };
      });
      return host.send({ type: "events-done", id: message.id, streams });
    }
    case "end-stream":
      return (host.memory.ended = [...(host.memory.ended ?? []), message.stream]);
    default:
      throw new Error(`unknown message ${message.type}`);
  }
}

socket.on("data", (chunk) => {
  received = Buffer.concat([received, chunk]);
  while (received.length >= 4 && received.length >= 4 + received.readUInt32LE(0)) {
    const end = 4 + received.readUInt32LE(0);
    const payloadAt = 8 + received.readUInt32LE(4);
    const header = JSON.parse(received.toString("utf8", 8, payloadAt));
    const payload = received.subarray(payloadAt, end);
    received = received.subarray(end);
    receive(header, payload);
  }
});
socket.on("close", () => process.exit(0));
host.send({ type: "ready", pid: process.pid });
