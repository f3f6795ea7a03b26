/** The grammar of the command line: commands, options, help. Each command's code is loaded only when it runs. */

import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { costGroupings } from "../core/reports/cost-table.ts";
import { version } from "../core/version.ts";
import type { CliContext, Command as CommandFunction } from "./context.ts";

const folderHelp = "folder of ccproxy.yaml and config.yaml\n(default: $CCPROXY_CONFIG_DIR, else ~/.ccproxy)";

/** What the list of commands shows behind their names. */
const shownArguments: ReadonlyMap<string, string> = new Map([
  ["run", "<command...>"],
  ["new", "<rule|hook> <name>"],
  ["test", "[files...]"],
  ["explain", "<request>"],
  ["keys", "<command>"],
]);

/** Builds the parser. `setExitCode` is called with the answer of the command that ran. */
export function buildProgram(context: CliContext, setExitCode: (code: number) => void): Command {
  const program = new Command("ccproxy")
    .description("One local process between Claude Code (or any Anthropic or OpenAI client) and your LLM providers.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help; every command has its own")
    .helpCommand(false)
    .usage("[options] <command>")
    .option("--config-dir <folder>", folderHelp)
    // Global options end at the command's name, so that `run` can hand everything behind it on.
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${shownArguments.get(command.name()) ?? ""}`.trimEnd() })
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: complain("ccproxy"),
    })
    .addHelpText(
      "after",
      examples(["ccproxy install && ccproxy run claude", "ccproxy start --detach && ccproxy status", "ccproxy logs --follow"]),
    );

  /** Makes the action of a command: loads its file, gives it all options, keeps its exit code. */
  function does<Options extends object>(
    load: () => Promise<{ readonly default: CommandFunction<Options> }>,
    ...positional: readonly string[]
  ) {
    return async (...parsed: unknown[]): Promise<void> => {
      const command = parsed.at(-1);
      if (!(command instanceof Command)) throw new TypeError("the parser gave no command");
      const { default: run } = await load();
      const named = Object.fromEntries(positional.map((name, index) => [name, parsed[index]]));
      const options: Options = { ...program.opts(), ...command.parent?.opts(), ...command.opts(), ...named };
      setExitCode((await run(context, options)) ?? 0);
    };
  }

  function add(group: string, usage: string, description: string, exampleLines: readonly string[]): Command {
    return program
      .command(usage)
      .description(description)
      .helpGroup(group)
      .configureOutput({ outputError: complain(`ccproxy ${usage}`) })
      .helpOption("-h, --help", "print this help")
      .option("--config-dir <folder>", folderHelp)
      .addHelpText("after", examples(exampleLines));
  }

  const setUp = "Set up:";
  add(setUp, "install", "write a configuration folder that works as it is", [
    "ccproxy install",
    "ccproxy install --force   # replaces the files, keeps backups",
  ])
    .option("--force", "replace files that exist, after a backup; your rules/ and hooks/ stay")
    .action(does(() => import("./commands/install.ts")));
  add(setUp, "check", "validate the configuration, print where models go", [
    "ccproxy check",
    "ccproxy check --config-dir ./staging",
  ]).action(does(() => import("./commands/check.ts")));
  add(setUp, "trust", "let the ccproxy file of this project route requests", [
    "ccproxy trust",
    "ccproxy trust --list",
    "ccproxy trust --remove",
  ])
    .addOption(new Option("--list", "list the project files trusted so far").conflicts("remove"))
    .option("--remove", "stop trusting the file of this folder")
    .action(does(() => import("./commands/trust.ts")));

  const own = "Rules and hooks of your own:";
  add(own, "new", "write a rule or hook to start from, with its test", ["ccproxy new rule vip", "ccproxy new hook mask-names"])
    .addArgument(new Argument("<kind>", "what to write").choices(["rule", "hook"]))
    .argument("<name>", "its name; the file is called after it")
    .action(does(() => import("./commands/new.ts"), "kind", "name"));
  add(own, "test", "run the *.test.ts files beside rules and hooks", [
    "ccproxy test",
    "ccproxy test rules/vip.test.ts",
    "ccproxy test --json",
  ])
    .summary("run *.test.ts files, in the sandbox of rules and hooks")
    .argument("[files...]", "test files; all in rules/ and hooks/ when none is named")
    .option("--json", "print JSON")
    .action(does(() => import("./commands/test.ts"), "files"));
  add(own, "explain", "show what decides about a request, and what changes it", [
    "ccproxy explain request.json",
    "ccproxy explain last",
    "ccproxy explain req_4f0c…  # from the log",
    "ccproxy explain - < request.json",
  ])
    .summary("show which rules and hooks act on a request, and how")
    .argument("<request>", 'a file with a request body ("-" reads it from the input), "last", or the id of a request')
    .option("--json", "print JSON")
    .action(does(() => import("./commands/explain.ts"), "request"));

  const use = "Use:";
  add(use, "run", "run a command with its API traffic sent through ccproxy", [
    "ccproxy run claude",
    'ccproxy run claude -p "say hi" --model opus',
    "ccproxy run -- python agent.py",
  ])
    .summary("run a command through ccproxy: `ccproxy run claude`")
    .argument("<command...>", "the command and its arguments, which are passed on as they are")
    .usage("[options] <command> [arguments...]")
    .passThroughOptions()
    .action(does(() => import("./commands/run.ts"), "command"));
  add(use, "demo", "route one request to a mock model, show every step", ["ccproxy demo"]).action(does(() => import("./commands/demo.ts")));

  const server = "Server:";
  withListenOptions(add(server, "start", "start the server", ["ccproxy start", "ccproxy start -d", "ccproxy start --port 4001"]))
    .option("-d, --detach", "go to the background once the server is ready")
    .addOption(new Option("--background", "the server that --detach started").hideHelp())
    .action(does(() => import("./commands/start.ts")));
  add(server, "stop", "stop the server once open requests are done", ["ccproxy stop"]).action(does(() => import("./commands/stop.ts")));
  withListenOptions(add(server, "restart", "stop the server if it runs, start it as it was", ["ccproxy restart", "ccproxy restart -d"]))
    .option("-d, --detach", "start it in the background, wherever it ran before")
    .action(does(() => import("./commands/restart.ts")));
  add(server, "status", "tell whether the server runs, and with what", [
    "ccproxy status",
    "ccproxy status --json",
    "ccproxy status --check && echo up",
  ])
    .addOption(new Option("--json", "print JSON").conflicts("check"))
    .option("--check", "print nothing; exit 0 when it runs, else 1")
    .action(does(() => import("./commands/status.ts")));
  add(server, "logs", "print the log", ["ccproxy logs", "ccproxy logs -f", "ccproxy logs -n 1000 --json"])
    .option("-f, --follow", "go on printing what is logged")
    .option("-n, --lines <count>", "how many lines from the end", wholeNumber, 100)
    .option("--json", "print the lines as they stand in the file")
    .action(does(() => import("./commands/logs.ts")));
  add(server, "spend", "show what requests cost, and what routing saved", [
    "ccproxy spend",
    "ccproxy spend --by session --since 24h",
    "ccproxy spend --by day --since all --csv > spend.csv",
  ])
    .addOption(new Option("--by <what>", "one line for each").choices(costGroupings).default("model"))
    .option("--since <time>", "24h, 7d, 1mo, a date such as 2026-11-23, or all", "7d")
    .addOption(new Option("--csv", "print CSV").conflicts("json"))
    .option("--json", "print JSON")
    .action(does(() => import("./commands/spend.ts")));

  const keys = add(server, "keys", "make and manage virtual keys", [
    "ccproxy keys create --alias ci --models opus,haiku --max-budget 5 --budget-duration 30d",
    "ccproxy keys list",
    "ccproxy keys rotate ci",
  ]).usage("[options] <command>");
  function addToKeys(usage: string, description: string, exampleLines: readonly string[]): Command {
    return keys
      .command(usage)
      .description(description)
      .configureOutput({ outputError: complain(`ccproxy keys ${usage}`) })
      .helpOption("-h, --help", "print this help")
      .option("--config-dir <folder>", folderHelp)
      .option("--json", "print JSON")
      .addHelpText("after", examples(exampleLines));
  }
  const namedKey = ["<key>", "its alias, its id, or the first 8 characters of its id or more"] as const;
  addToKeys("create", "make a key, and print its secret once", [
    "ccproxy keys create",
    "ccproxy keys create --alias ci --models opus,haiku",
    "ccproxy keys create --alias ada --max-budget 5 --budget-duration 30d --expires 90d",
  ])
    .option("--alias <name>", "what it is called; no two keys have the same")
    .option("--models <names>", "models it may use, separated by commas (default: all)", names)
    .option("--max-budget <dollars>", "US dollars it may spend", dollars)
    .option("--budget-duration <time>", "after which the budget begins anew: 1d, 7d, 30d (default: never)")
    .option("--rpm <count>", "requests a minute", wholeNumber)
    .option("--tpm <count>", "tokens a minute", wholeNumber)
    .option("--expires <time>", "how long it lives: 24h, 30d (default: for ever)")
    .option("--user <id>", "whose it is")
    .option("--team <id>", "of which team it is")
    .action(does(async () => ({ default: (await import("./commands/keys.ts")).createKey })));
  addToKeys("list", "list the keys", ["ccproxy keys list", "ccproxy keys list --user ada --json"])
    .option("--user <id>", "of this user only")
    .option("--team <id>", "of this team only")
    .action(does(async () => ({ default: (await import("./commands/keys.ts")).listKeys })));
  addToKeys("info", "show one key", ["ccproxy keys info ci"])
    .argument(...namedKey)
    .action(does(async () => ({ default: (await import("./commands/keys.ts")).showKey }), "key"));
  addToKeys("block", "let a key open nothing until it is unblocked", ["ccproxy keys block ci"])
    .argument(...namedKey)
    .action(does(async () => ({ default: (await import("./commands/keys.ts")).blockKey }), "key"));
  addToKeys("unblock", "let a blocked key in again", ["ccproxy keys unblock ci"])
    .argument(...namedKey)
    .action(does(async () => ({ default: (await import("./commands/keys.ts")).unblockKey }), "key"));
  addToKeys("rotate", "give a key a new secret, and print it once", ["ccproxy keys rotate ci"])
    .argument(...namedKey)
    .action(does(async () => ({ default: (await import("./commands/keys.ts")).rotateKey }), "key"));
  addToKeys("delete", "delete a key", ["ccproxy keys delete ci"])
    .argument(...namedKey)
    .action(does(async () => ({ default: (await import("./commands/keys.ts")).deleteKey }), "key"));
  return program;
}

function complain(command: string): (text: string, write: (text: string) => void) => void {
  return (text, write) => write(`ccproxy: ${text.replace(/^error: /, "")}Try "${command} --help".\n`);
}

function withListenOptions(command: Command): Command {
  return command
    .option("--host <address>", "address to listen on (default: as configured, else 127.0.0.1)")
    .option("--port <number>", "port to listen on, 0 for a free one (default: as configured, else 4000)", portNumber);
}

function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}\n`;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function dollars(text: string): number {
  if (!/^\d{1,7}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError("It must be an amount such as 5 or 0.50.");
  return Number(text);
}

function names(text: string): readonly string[] {
  const found = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (found.length === 0) throw new InvalidArgumentError("It must name a model.");
  return found;
}

function portNumber(text: string): number {
  const port = wholeNumber(text);
  if (port > 65_535) throw new InvalidArgumentError("It must be from 0 to 65535.");
  return port;
}
