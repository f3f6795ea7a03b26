import { expect, test } from "vitest";
import { endpoint, rootOf, writtenOperation } from "../../../plugins/openai-compatible/endpoint.ts";

test.each([
  ["https://host", "https://host/v1/chat/completions"],
  ["https://host/", "https://host/v1/chat/completions"],
  ["https://host/v1", "https://host/v1/chat/completions"],
  ["https://host/v1///", "https://host/v1/chat/completions"],
  ["https://host/v1/chat/completions", "https://host/v1/chat/completions"],
  ["https://host/v1/responses", "https://host/v1/chat/completions"],
  ["https://host/chat/completions", "https://host/chat/completions"],
  ["https://host:8443/openai/v1", "https://host:8443/openai/v1/chat/completions"],
  ["http://127.0.0.1:11434", "http://127.0.0.1:11434/v1/chat/completions"],
])("%s leads to %s", (base, url) => {
  expect(endpoint(base, "chat/completions", "/v1")).toBe(url);
});

test("a host that has its API at the root keeps it there", () => {
  expect(endpoint("https://api.deepseek.com", "chat/completions", rootOf("https://api.deepseek.com"))).toBe(
    "https://api.deepseek.com/chat/completions",
  );
  expect(endpoint("https://api.deepseek.com/v1", "chat/completions", "")).toBe("https://api.deepseek.com/v1/chat/completions");
  expect(rootOf("https://api.groq.com/openai/v1/")).toBe("/openai/v1");
  expect(rootOf(undefined)).toBe("/v1");
});

test("each operation has its own path", () => {
  expect(endpoint("https://host/v1", "responses", "/v1")).toBe("https://host/v1/responses");
  expect(endpoint("https://host/v1", "embeddings", "/v1")).toBe("https://host/v1/embeddings");
  expect(endpoint("https://host", "messages", "/v1")).toBe("https://host/v1/messages");
});

test("an operation that was written with the base is seen", () => {
  expect(writtenOperation("https://host/v1/responses/")).toBe("responses");
  expect(writtenOperation("https://host/v1/chat/completions")).toBe("chat/completions");
  expect(writtenOperation("https://host/v1")).toBeUndefined();
  expect(writtenOperation("no url")).toBeUndefined();
});
