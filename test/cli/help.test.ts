import { describe, expect, test } from "vitest";
import { createHome } from "./command-line.ts";
import manifest from "../../package.json" with { type: "json" };

const commands = ["install", "check", "trust", "new", "test", "explain", "run", "demo", "start", "stop", "restart", "status", "logs"];

describe("help", () => {
  test("names every command in 80 columns, with examples", async () => {
    const { ccproxy } = await createHome();
    const { code, stdout, stderr } = await ccproxy(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
    expect(stdout).toContain("$ ccproxy install && ccproxy run claude");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  test.each(commands)("%s has help of its own, with an example and the folder option", async (command) => {
    const { ccproxy } = await createHome();
    const { code, stdout } = await ccproxy([command, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`$ ccproxy ${command}`);
    expect(stdout).toContain("--config-dir <folder>");
  });

  test("the version is the package's", async () => {
    const { ccproxy } = await createHome();
    expect(await ccproxy(["--version"])).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
  });
});

describe("wrong use exits 2 and says where help is", () => {
  test.each([
    [[], "Usage: ccproxy"],
    [["nonsense"], "unknown command 'nonsense'"],
    [["start", "--nonsense"], 'Try "ccproxy start --help"'],
    [["start", "--port", "65536"], "from 0 to 65535"],
    [["logs", "-n", "many"], "whole number"],
    [["status", "--json", "--check"], "cannot be used with"],
    [["trust", "--list", "--remove"], "cannot be used with"],
    [["stop", "now"], "too many arguments"],
    [["run"], "missing required argument"],
    [["run", "--nonsense", "true"], "unknown option '--nonsense'"],
  ])("%j", async (args, wanted) => {
    const { ccproxy } = await createHome();
    const { code, stdout, stderr } = await ccproxy(args);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(wanted);
  });
});
