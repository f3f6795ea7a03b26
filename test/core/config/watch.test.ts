import { appendFile, mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { watchFiles, type FileWatcher } from "../../../core/config/watch.ts";

let root = "";
let folder = "";
let file = "";
const watchers: FileWatcher[] = [];

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "ccproxy-watch-")));
  folder = join(root, "config");
  file = join(folder, "config.yaml");
  await mkdir(folder);
  await writeFile(file, "a: 1\n");
});
afterEach(async () => {
  for (const watcher of watchers.splice(0)) watcher.close();
  await rm(root, { recursive: true, force: true });
});

/** The changes told so far, and a way to wait for the next. */
interface Told {
  readonly all: (readonly string[])[];
  next(): Promise<readonly string[]>;
}

async function watching(paths: readonly string[], debounceMs = 20): Promise<Told> {
  const all: (readonly string[])[] = [];
  let taken = 0;
  let wake: () => void = () => {};
  watchers.push(
    await watchFiles(
      paths,
      (changed) => {
        all.push(changed);
        wake();
      },
      { debounceMs },
    ),
  );
  return {
    all,
    async next() {
      while (all.length <= taken) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      taken += 1;
      return all[taken - 1]!;
    },
  };
}

test("a change in place is told", async () => {
  const told = await watching([file]);
  await appendFile(file, "b: 2\n");
  expect(await told.next()).toEqual([file]);
});

test("a file replaced by renaming another over it is told, again and again", async () => {
  const told = await watching([file]);
  for (let round = 0; round < 5; round += 1) {
    await writeFile(`${file}.tmp`, `a: ${round}\n`);
    await rename(`${file}.tmp`, file);
    expect(await told.next()).toEqual([file]);
  }
});

test("a file that an editor moves away and writes anew is told", async () => {
  const told = await watching([file]);
  await rename(file, `${file}~`);
  await writeFile(file, "a: 2\n");
  expect(await told.next()).toEqual([file]);
});

test("a file that goes and comes back is told both times", async () => {
  const told = await watching([file]);
  await rm(file);
  expect(await told.next()).toEqual([file]);
  await writeFile(file, "a: 1\n");
  expect(await told.next()).toEqual([file]);
});

test("a file that is not there yet is told when it comes", async () => {
  const later = join(folder, "ccproxy.yaml");
  const told = await watching([file, later]);
  await writeFile(later, "ccproxy:\n");
  expect(await told.next()).toEqual([later]);
});

test("a folder that is deleted and made anew is watched on", async () => {
  const told = await watching([file]);
  await rm(folder, { recursive: true });
  expect(await told.next()).toEqual([file]);
  await mkdir(folder);
  await writeFile(file, "a: 2\n");
  expect(await told.next()).toEqual([file]);
  await appendFile(file, "b: 3\n");
  expect(await told.next()).toEqual([file]);
});

test("a folder that is swapped for another is watched on", async () => {
  const told = await watching([file]);
  const other = join(root, "other");
  await mkdir(other);
  await writeFile(join(other, "config.yaml"), "a: 2\n");
  await rename(folder, join(root, "old"));
  await rename(other, folder);
  expect(await told.next()).toEqual([file]);
  await appendFile(file, "b: 3\n");
  expect(await told.next()).toEqual([file]);
});

test("a folder several levels of which are missing is told when it comes", async () => {
  const deep = join(root, "x", "y", "z", "config.yaml");
  const told = await watching([deep]);
  await mkdir(join(root, "x", "y", "z"), { recursive: true });
  await writeFile(deep, "a: 1\n");
  expect(await told.next()).toEqual([deep]);
});

test("a change of what a link points at is told, and of the link itself", async () => {
  const target = join(root, "dotfiles", "config.yaml");
  await mkdir(join(root, "dotfiles"));
  await writeFile(target, "a: 1\n");
  await rm(file);
  await symlink(target, file);
  const told = await watching([file]);
  await appendFile(target, "b: 2\n");
  expect(await told.next()).toEqual([file]);
  await writeFile(join(root, "second.yaml"), "c: 3\n");
  await symlink(join(root, "second.yaml"), `${file}.new`);
  await rename(`${file}.new`, file);
  expect(await told.next()).toEqual([file]);
});

test("changes close together are told once, with every file", async () => {
  const second = join(folder, "ccproxy.yaml");
  await writeFile(second, "");
  const told = await watching([file, second], 200);
  await appendFile(file, "b: 2\n");
  await appendFile(second, "ccproxy:\n");
  await appendFile(file, "c: 3\n");
  expect(await told.next()).toEqual([file, second]);
  expect(told.all).toHaveLength(1);
});

test("in a watched folder YAML and code count; a log beside them tells nothing", async () => {
  const told = await watching([folder]);
  await appendFile(join(folder, "ccproxy.log"), "line\n");
  await writeFile(join(folder, "state.json"), "{}");
  await writeFile(join(folder, "rule.ts"), "export {};\n");
  expect(await told.next()).toEqual([folder]);
  await appendFile(join(folder, "ccproxy.log"), "line\n");
  await appendFile(join(folder, "rule.ts"), "//\n");
  expect(await told.next()).toEqual([folder]);
  await rm(join(folder, "rule.ts"));
  expect(await told.next()).toEqual([folder]);
  expect(told.all).toHaveLength(3);
});

test("a touch of a neighbour tells nothing", async () => {
  const told = await watching([file]);
  await writeFile(join(folder, "neighbour.yaml"), "x: 1\n");
  await appendFile(file, "b: 2\n");
  expect(await told.next()).toEqual([file]);
  expect(told.all).toEqual([[file]]);
});

test("after closing nothing is told", async () => {
  const closed = await watching([file]);
  watchers.pop()!.close();
  const open = await watching([file]);
  await appendFile(file, "b: 2\n");
  await open.next();
  expect(closed.all).toEqual([]);
});
