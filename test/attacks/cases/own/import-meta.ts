import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "import.meta and import() in other forms",
  where: "preCall",
  body: String.raw`const tries = ["import.meta", "import.meta.resolve('fs')", "import('data:text/javascript,export default 1')", "import('file:///etc/passwd')", "import('x', { with: { type: 'json' } })", "import.source('x')", "import.defer('x')"];
return (async () => { const results = []; for (const text of tries) try { await eval(text); results.push(text); } catch { results.push(""); } return results.join(""); })();`,
  expected: [{ value: "" }],
};
export default attack;
