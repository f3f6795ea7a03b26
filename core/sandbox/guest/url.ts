/** URL and URLSearchParams for isolates, which have none: a script of its own, see prelude.ts. */

export { URL, URLSearchParams } from "whatwg-url-minimum";
