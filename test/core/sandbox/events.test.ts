import { describe, expect, it, vi } from "vitest";
import { openSandbox, streamCall, unitsOf } from "../../helpers/sandboxes.ts";

/** Puts each event in brackets, and counts over the whole stream. */
const brackets = `{ seen: {}, events(batch) {
  if (batch.open !== undefined) this.seen[batch.stream] = batch.open.stores[batch.units[0]]?.state.count ?? 0;
  const events = batch.events.map((text) => [JSON.stringify({ n: ++this.seen[batch.stream], was: JSON.parse(text) })]);
  return { events, writes: { state: { count: this.seen[batch.stream] } } };
} }`;
const hangsOn = (text: string): string => `{ events: (batch) => { while (batch.events.includes(${JSON.stringify(text)})); return {}; } }`;
const diesOn = (text: string): string =>
  `{ events: (batch) => { if (batch.events.includes(${JSON.stringify(text)})) process.abort(); return {}; } }`;

describe("a stream", () => {
  it("gets its events back in order, changed or not", async () => {
    const program = await openSandbox().load(unitsOf([brackets]));
    const stream = program.openStream(streamCall([0]));
    const first = await stream.push(['"a"', '"b"']);
    const second = await stream.push(['"c"']);
    expect(first).toEqual({
      events: [['{"n":1,"was":"a"}'], ['{"n":2,"was":"b"}']],
      outcomes: [{ unit: 0, us: 1, writes: { state: { count: 2 } } }],
    });
    expect(second.events).toEqual([['{"n":3,"was":"c"}']]);
  });

  it("travels with others in one message, and each gets its own back", async () => {
    const counts =
      "{ messages: new Set(), events(batch, host) { return { events: batch.events.map((text) => [text + batch.stream]), }; } }";
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([counts]));
    const streams = Array.from({ length: 30 }, (_, index) => ({
      index,
      stream: program.openStream(streamCall([0], { stream: `s${index}` })),
    }));
    const before = sandbox.status().active?.calls ?? 0;
    const results = await Promise.all(streams.map(({ stream, index }) => stream.push([`${index}-`])));
    expect(results.map(({ events }) => events)).toEqual(streams.map(({ index }) => [[`${index}-s${index}`]]));
    expect(sandbox.status().active?.calls).toBe(before + 1);
  });

  it("keeps the order when more comes before the last came back", async () => {
    const program = await openSandbox().load(unitsOf([brackets]));
    const stream = program.openStream(streamCall([0]));
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => stream.push([String(index)])));
    expect(results.flatMap(({ events }) => events)).toEqual(
      Array.from({ length: 20 }, (_, index) => [JSON.stringify({ n: index + 1, was: index })]),
    );
  });

  it("is told to the host when it ends", async () => {
    const tells = "{ events: (batch, host) => ({ events: [[JSON.stringify(host.memory.ended ?? [])]] }) }";
    const program = await openSandbox().load(unitsOf([tells]));
    const ending = program.openStream(streamCall([0], { stream: "ending" }));
    const pushed = ending.push(["1"]);
    ending.close();
    await pushed;
    const other = program.openStream(streamCall([0], { stream: "other" }));
    expect((await other.push(["1"])).events).toEqual([['["ending"]']]);
  });

  it("goes on in the next host with the latest stores when its host is lost", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([brackets]));
    let count = 0;
    const stream = program.openStream(streamCall([0], { stores: () => ({ state: { count }, locals: {} }) }));
    const first = await stream.push(["1"]);
    count = Number(first.outcomes[0]?.writes?.state?.["count"]);
    process.kill(sandbox.status().active?.pid ?? 0, "SIGKILL");
    await vi.waitFor(() => expect(sandbox.status().crashes).toBe(1));
    expect((await stream.push(["2"])).events).toEqual([['{"n":2,"was":2}']]);
  });

  it("stays in the host where it began while another version is loaded", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([brackets]));
    const stream = program.openStream(streamCall([0]));
    await stream.push(["1"]);
    await vi.waitFor(() => expect(sandbox.status().spare).not.toBeNull());
    const before = sandbox.status().active?.pid;
    await sandbox.load(unitsOf([brackets]));
    expect(sandbox.status().active?.pid).not.toBe(before);
    expect((await stream.push(["2"])).events).toEqual([['{"n":2,"was":2}']]);
  });
});

describe("events that take a host down", () => {
  it("pass unchanged with their loss said; those of other streams, and of other units, are run all the same", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([brackets, hangsOn('{"n":1,"was":"bad"}'), brackets], { sliceMs: 20 }));
    const hangsFirst = await sandbox.load(unitsOf([hangsOn('"bad"'), brackets], { sliceMs: 20 }));
    const bad = hangsFirst.openStream(streamCall([0, 1]));
    const good = Array.from({ length: 5 }, () => hangsFirst.openStream(streamCall([0, 1])));
    const alone = program.openStream(streamCall([0]));
    const [badResult, aloneResult, ...goodResults] = await Promise.all([
      bad.push(['"bad"']),
      alone.push(['"x"']),
      ...good.map((stream) => stream.push(['"good"'])),
    ]);
    expect(badResult).toEqual({
      events: [['{"n":1,"was":"bad"}']],
      outcomes: [
        { unit: 0, us: 0, lost: "killed" },
        { unit: 1, us: 1, writes: { state: { count: 1 } } },
      ],
    });
    expect(aloneResult?.events).toEqual([['{"n":1,"was":"x"}']]);
    for (const result of goodResults) {
      expect(result.events).toEqual([['{"n":1,"was":"good"}']]);
      expect(result.outcomes.map(({ lost }) => lost)).toEqual([undefined, undefined]);
    }
    expect(sandbox.status().kills).toBe(2);
  });

  it("are laid to a unit only when a second host dies of them", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([diesOn('"bad"'), brackets]));
    const [bad, good] = [program.openStream(streamCall([0])), program.openStream(streamCall([0]))];
    const [badResult, goodResult] = await Promise.all([bad.push(['"bad"']), good.push(['"good"'])]);
    expect(badResult).toEqual({ events: [0], outcomes: [{ unit: 0, us: 0, lost: "crashed" }] });
    expect(goodResult).toEqual({ events: [0], outcomes: [{ unit: 0, us: 1 }] });
  });

  it("put their file out of use after the third time, and the stream goes on without it", async () => {
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([hangsOn('"bad"')], { sliceMs: 10 }));
    const stream = program.openStream(streamCall([0]));
    const losses: unknown[] = [];
    for (let count = 0; count < 4; count++) losses.push((await stream.push(['"bad"'])).outcomes[0]?.lost);
    expect(losses).toEqual(["killed", "killed", "killed", "quarantined"]);
    expect(sandbox.status().kills).toBe(3);
  });

  it.each([
    ["of another stream", "{ stream: 'another', events: [0], units: [{ unit: 0 }] }"],
    ["of too few events", "{ stream: batch.stream, events: [], units: [{ unit: 0 }] }"],
    ["that are no texts", "{ stream: batch.stream, events: [[1]], units: [{ unit: 0 }] }"],
    ["of other units", "{ stream: batch.stream, events: [0], units: [{ unit: 1 }] }"],
  ])("count as a crash when the host gives an answer %s", async (_what, answer) => {
    const lies = `{ events: (batch, host) => { host.send({ type: 'events-done', id: batch.message, streams: [${answer}] }); return {}; } }`;
    const program = await openSandbox().load(unitsOf([lies]));
    expect(await program.openStream(streamCall([0])).push(["1"])).toEqual({ events: [0], outcomes: [{ unit: 0, us: 0, lost: "crashed" }] });
  });

  it("are refused when they become too many", async () => {
    const floods = "{ events: () => ({ events: [Array.from({ length: 20_000 }, () => '{}')] }) }";
    const sandbox = openSandbox();
    const program = await sandbox.load(unitsOf([floods]));
    const result = await program.openStream(streamCall([0])).push(["1"]);
    expect(result.events).toEqual([0]);
    expect(result.outcomes[0]?.error?.kind).toBe("invalid");
    expect(sandbox.status().crashes).toBe(0);
  });
});
