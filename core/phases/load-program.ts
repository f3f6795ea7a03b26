/** Brings user code into the sandbox and finds out what it is: which files are rules and hooks, and which are neither. */

import { basename, extname } from "node:path";

import type { Json } from "../../sdk/body.ts";
import type { HookPhase } from "../../sdk/context.ts";
import type { Fault } from "../config/types.ts";
import { type LoadedProgram, type Sandbox, SandboxUnavailable, type UnitSpec } from "../sandbox/sandbox.ts";
import type { UnitManifest } from "../sandbox/protocol.ts";
import type { IgnoredFile, UserCode, UserUnit } from "../user-code/types.ts";
import type { MapError } from "./failure-log.ts";
import { type LoadedUnit, type UserProgram, unitName } from "./user-program.ts";

const defaultSliceMs = 50;
const defaultTimeoutMs = 5000;

export interface LoadServices {
  /** Called when there is something to load. */
  readonly sandbox: () => Sandbox;
  readonly mapError: MapError;
  /** Key of `context.pseudonym`, 64 hexadecimal digits. */
  pseudonymKey(file: string): string;
  /** Value of a variable that an entry grants. */
  variable(name: string): string | undefined;
}

export interface BuiltProgram {
  /** Undefined when there is no user code, or none that could be loaded. */
  readonly program: UserProgram | undefined;
  readonly ignored: readonly IgnoredFile[];
  readonly faults: readonly Fault[];
}

/** Whoever gets a program holds it, and lets go of it by what `retain` gave. */
export async function loadProgram(code: UserCode, services: LoadServices): Promise<BuiltProgram> {
  const { units: sources, ignored } = code;
  if (sources.length === 0) return { program: undefined, ignored, faults: code.faults };
  const faults = [...code.faults, ...sources.flatMap((source) => missingVariables(source, services))];
  let program: LoadedProgram;
  try {
    program = await services.sandbox().load(sources.map((source, index) => unitSpec(source, index, services)));
  } catch (error) {
    if (!(error instanceof SandboxUnavailable)) throw error;
    const [first] = sources;
    const message = `rules and hooks of your own cannot be run: ${error.message}`;
    return { program: undefined, ignored, faults: [...faults, { severity: "error", file: first?.path ?? "", message }] };
  }
  const manifests = new Map(program.manifests.map((manifest) => [manifest.unit, manifest]));
  const units: LoadedUnit[] = [];
  const alsoIgnored: IgnoredFile[] = [];
  for (const [index, source] of sources.entries()) {
    const manifest = manifests.get(index);
    if (manifest === undefined) throw new Error(`the sandbox said nothing about ${source.file}`);
    const unit = loadedUnit(index, source, manifest);
    const why = whyIgnored(source, manifest);
    if (manifest.error !== undefined && why === undefined) faults.push(loadFault(unit, manifest.error, services.mapError));
    else if (why === undefined) units.push(unit);
    else {
      alsoIgnored.push({ file: source.file, why });
      faults.push({ severity: "warning", ...source.location, message: `${source.file} is not loaded: ${why}` });
    }
  }
  const all = [...ignored, ...alsoIgnored];
  if (units.length > 0) return { program: new CountedProgram(program, units), ignored: all, faults };
  program.release();
  return { program: undefined, ignored: all, faults };
}

function unitSpec(source: UserUnit, unit: number, services: LoadServices): UnitSpec {
  const { kind, file, code, exportName, params, hash, options } = source;
  const has = (type: (typeof options.grants)[number]["type"]): boolean => options.grants.some((grant) => grant.type === type);
  const names = options.grants.flatMap((grant) => (grant.type === "env" ? [grant.name] : []));
  return {
    unit,
    kind,
    file,
    code,
    exportName,
    // What a YAML file holds is JSON but for a few values that JSON has no word for.
    params: toJson({ positional: params.positional, named: params.named }),
    env: Object.fromEntries(names.map((name) => [name, services.variable(name) ?? ""])),
    grants: { fetch: has("fetch"), callModel: has("callModel"), kv: has("kv"), replyTools: has("reply") },
    pseudonymKey: services.pseudonymKey(file),
    hash,
    limits: { sliceMs: options.sliceMs ?? defaultSliceMs, timeoutMs: options.timeoutMs ?? defaultTimeoutMs },
  };
}

function toJson(params: UserUnit["params"]): UnitSpec["params"] {
  const read: { positional: readonly Json[]; named: { readonly [key: string]: Json } } = JSON.parse(JSON.stringify(params));
  return read;
}

function missingVariables({ options, location, file }: UserUnit, services: LoadServices): readonly Fault[] {
  const missing = options.grants.flatMap((grant) =>
    grant.type === "env" && services.variable(grant.name) === undefined ? [grant.name] : [],
  );
  return missing.map((name) => ({
    severity: "warning" as const,
    ...location,
    message: `${file} is granted the variable ${name}, which is not set; it reads an empty text`,
  }));
}

function loadedUnit(index: number, source: UserUnit, manifest: UnitManifest): LoadedUnit {
  const required = source.options.required ?? manifest.required;
  return {
    index,
    source,
    manifest,
    label: source.label ?? manifest.label ?? basename(source.file, extname(source.file)),
    required,
    onError: source.options.onError ?? (required ? "deny" : "skip"),
  };
}

/** A file that nobody named is loaded for what it exports; something else in the folder may be meant for another purpose. */
function whyIgnored({ origin, kind }: UserUnit, { defined, error }: UnitManifest): string | undefined {
  if (origin !== "autoloaded" || defined === kind) return undefined;
  // What the file itself throws while it is loaded is a fault, whatever it would have exported.
  if (error !== undefined && error.name !== "SandboxError") return undefined;
  const wanted = kind === "rule" ? "defineRule" : "defineHook";
  const found =
    defined === undefined ? `its default export is not made with ${wanted}` : `its default export is a ${defined}, not a ${kind}`;
  const todo =
    defined === undefined ? `write "export default ${wanted}(…)", or begin its name with "_"` : `move it to the folder ${defined}s/`;
  return `${found}; ${todo}`;
}

function loadFault(unit: LoadedUnit, error: NonNullable<UnitManifest["error"]>, mapError: MapError): Fault {
  const { message, position, frame } = mapError(unit, error);
  const { source } = unit;
  // What our own sdk complains of are the parameters of the entry.
  if (position === undefined || position.file.startsWith("ccproxy/sdk/"))
    return { severity: "error", ...source.location, message: `${unitName(unit)} cannot be loaded: ${message}` };
  return { severity: "error", ...position, frame, message: `cannot be loaded: ${message}` };
}

class CountedProgram implements UserProgram {
  readonly program: LoadedProgram;
  readonly units: readonly LoadedUnit[];
  readonly #byPhase = new Map<HookPhase, readonly LoadedUnit[]>();
  #holders = 0;

  constructor(program: LoadedProgram, units: readonly LoadedUnit[]) {
    this.program = program;
    this.units = units;
  }

  hooks(phase: HookPhase): readonly LoadedUnit[] {
    let hooks = this.#byPhase.get(phase);
    if (hooks === undefined) {
      hooks = this.units.filter(({ source, manifest }) => source.kind !== "rule" && manifest.phases.includes(phase));
      this.#byPhase.set(phase, hooks);
    }
    return hooks;
  }

  retain(): () => void {
    this.#holders++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holders--;
      if (this.#holders === 0) this.program.release();
    };
  }
}
