import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { createHome, type Home } from "./command-line.ts";

const rule = 'import { defineRule } from "ccproxy/sdk";\nexport default defineRule({ summary: "every request", evaluate: () => true });\n';
const hook = 'import { defineHook } from "ccproxy/sdk";\nexport default defineHook({ summary: "tags", preCall() {}, onComplete() {} });\n';

async function homeWith(files: Readonly<Record<string, string>>, ccproxy: unknown = {}): Promise<Home> {
  const home = await createHome();
  const all = {
    "config.yaml": stringify({
      model_list: [{ model_name: "vip", litellm_params: { model: "anthropic/claude-x", mock_response: "hello" } }],
    }),
    "ccproxy.yaml": stringify({ ccproxy: { port: 0, ...(ccproxy as object) } }),
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    await mkdir(path.dirname(path.join(home.directory, name)), { recursive: true, mode: 0o700 });
    await writeFile(path.join(home.directory, name), text, { mode: 0o600 });
  }
  return home;
}

describe("check", () => {
  it("loads the code of the user's and says what it is; it leaves nothing behind", async () => {
    const home = await homeWith(
      { "rules/vip.ts": rule, "my/tag.ts": hook, "rules/note.ts": "export default 1;" },
      { hooks: [{ hook: "./my/tag.ts", required: true, grants: ["kv", "fetch:example.com"] }] },
    );
    const before = await readdir(home.directory);
    const { code, stdout } = await home.ccproxy(["check"]);
    expect(code).toBe(0);
    const words = stdout.replaceAll(/ +/g, " ");
    expect(words).toContain("\nYour code\n");
    expect(words).toContain(" rules/vip.ts rule vip autoloaded every request\n");
    expect(words).toContain(" my/tag.ts hook preCall onComplete as ./my/tag.ts, required, kv, fetch:example.com tags\n");
    expect(words).toContain(" rules/note.ts not loaded ");
    expect(await readdir(home.directory)).toEqual(before);
  });

  it("shows the line of what does not compile, and of what throws when it is loaded", async () => {
    const home = await homeWith({
      "rules/a.ts": "const a = ;",
      "rules/b.ts": 'import { defineRule } from "ccproxy/sdk";\n\nnull!.x;\nexport default defineRule(() => true);\n',
    });
    const { code, stdout } = await home.ccproxy(["check"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/rules\/a\.ts:1:11: error: .*\n {2}1 \| const a = ;\n/);
    // What compiles is loaded although another file does not.
    expect(stdout).toMatch(/rules\/b\.ts:3:\d+: error: cannot be loaded: TypeError: .*\n {2}3 \| null!\.x;\n/);
    expect(stdout).toContain("2 errors");
  });
});

describe("status", () => {
  it("says what of the user's code is in force, and in which processes it runs", async () => {
    const home = await homeWith({ "rules/vip.ts": rule, "hooks/tag.ts": hook });
    const server = home.start(["start"]);
    await server.shows("http://");
    const words = (await home.ccproxy(["status"])).stdout.replaceAll(/ +/g, " ");
    expect(words).toContain(" rules/vip.ts rule vip autoloaded every request\n");
    expect(words).toContain(" hooks/tag.ts hook preCall onComplete autoloaded tags\n");
    expect(words).toMatch(/runs in process \d+, \d+ MB \(works\), process \d+, \d+ MB \(stands by\)\n/);
    const { userCode } = JSON.parse((await home.ccproxy(["status", "--json"])).stdout) as { userCode: unknown };
    expect(userCode).toMatchObject({
      units: [{ file: "rules/vip.ts" }, { file: "hooks/tag.ts" }],
      sandbox: { active: { pid: expect.any(Number) } },
    });
    server.child.kill("SIGTERM");
    expect((await server.finished).code).toBe(0);
  });
});
