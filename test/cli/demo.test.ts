import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createHome } from "./command-line.ts";

describe("demo", () => {
  test("needs no configuration, shows answer and routing in 80 columns, and leaves nothing behind", async () => {
    const { ccproxy, home } = await createHome();
    const temporary = join(home, "tmp");
    await mkdir(temporary);
    const { code, stdout, stderr } = await ccproxy(["demo"], { env: { TMPDIR: temporary } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.replaceAll(/\n {3}│ /g, " ")).toContain("Hello from the mock model.");
    expect(stdout).toContain("x-ccproxy-label: subagent");
    expect(stdout).toMatch(/ ms {2}rules +matched +label=subagent/);
    expect(stdout).toMatch(/ ms {2}router +planned/);
    expect(stdout).toMatch(/ ms {2}call +mocked/);
    expect(stdout).toContain("ccproxy install");
    for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(await readdir(temporary)).toEqual([]);
    expect(await readdir(home)).toEqual(["tmp"]);
  });

  test("is coloured where asked, with the same text", async () => {
    const { ccproxy } = await createHome();
    const { stdout } = await ccproxy(["demo"], { env: { FORCE_COLOR: "1" } });
    expect(stdout).toContain("\u001B[1m");
    expect(stdout).toContain("Hello from the mock model.");
  });
});
