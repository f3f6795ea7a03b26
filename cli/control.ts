/** Asks a running server through its HTTP interface, with the control token of its state file. */

import { get } from "node:http";

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface ServerAddress {
  readonly url: string;
  readonly controlToken: string;
}

const maxAnswerBytes = 16 << 20;

/**
 * One GET. The token goes to the given server only: redirects are not followed.
 * @throws Error when there is no answer within `timeoutMs`
 */
export function askServer({ url, controlToken }: ServerAddress, path: string, timeoutMs: number = 2000): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const request = get(`${url}${path}`, { headers: { "x-ccproxy-token": controlToken }, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > maxAnswerBytes) request.destroy(new Error("the answer is too long"));
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}
