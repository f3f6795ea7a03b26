import { createMemoryKeys } from "../../../plugins/memory/keys.ts";
import { describeKeyStore } from "../../contracts/key-store.ts";

describeKeyStore("memory", async () => ({ store: createMemoryKeys() }));
