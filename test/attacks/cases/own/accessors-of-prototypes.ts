import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "setters on Object.prototype called on others",
  where: "preCall",
  body: String.raw`const setter = Object.getOwnPropertyDescriptor(Object.prototype, "toString").set;
setter.call(request, "own");
try { setter.call(Object.prototype, () => { for (;;); }); return "set"; } catch {}
try { setter.call(JSON, () => { for (;;); }); return "set"; } catch {}
return String(({}).toString());`,
  expected: [{ value: "[object Object]" }, { error: /./ }],
  why: "The request has got a member called toString by then.",
};
export default attack;
