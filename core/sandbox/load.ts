/** Loads one program into one host, and puts aside the unit that a host does not survive loading. */

import { readManifests } from "./check-manifest.ts";
import type { Host, HostClient } from "./host.ts";
import type { Program } from "./program.ts";
import { unloadedManifest } from "./program.ts";
import type { UnitManifest } from "./protocol.ts";

export type Loaded = { readonly type: "loaded"; readonly manifests: readonly UnitManifest[] } | { readonly type: "lost" };

/** Of one unit; its top-level code runs, and it may be large. */
const unitLimitMs = 2000;

/** Never rejects. `lost`: the host is gone; the unit that did it, if one did, is put aside or has been met once. */
export function sendLoad(host: Host, program: Program, runtime: string): Promise<Loaded> {
  const sent = program.loadable();
  return new Promise((resolve) => {
    const id = host.newId();
    const client: HostClient = {
      answered(answer) {
        const manifests =
          answer.type === "loaded"
            ? readManifests(
                answer.units,
                sent.map(({ unit }) => unit),
              )
            : "it answered a load with something else";
        if (typeof manifests === "string") {
          host.distrust(manifests, client);
          return;
        }
        const known = new Map(manifests.map((manifest) => [manifest.unit, manifest]));
        resolve({
          type: "loaded",
          manifests: program.units.map(
            ({ unit }) => known.get(unit) ?? unloadedManifest(unit, program.unusable(unit) ?? "It was not loaded."),
          ),
        });
      },
      lost({ by, isHead, unit }) {
        const culprit = sent.find((candidate) => candidate.unit === unit) ?? sent[0];
        if (isHead && by !== "dismissed" && culprit !== undefined) program.blameForLoad(culprit.unit, by);
        resolve({ type: "lost" });
      },
    };
    host.ask(program.loadMessage(id, runtime), { limitMs: unitLimitMs, maxBegins: sent.length }, client);
  });
}
