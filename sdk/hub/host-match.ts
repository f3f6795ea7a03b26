/** Whether a base URL belongs to a host of a provider's list. */

/**
 * @param entry `host`, or `host/path` where the host serves other APIs beside that path
 * @returns how much of the URL the entry names, so that the longest one wins; 0 where it names another
 */
export function matchHost(url: URL, entry: string): number {
  const slash = entry.indexOf("/");
  const host = slash < 0 ? entry : entry.slice(0, slash);
  const path = slash < 0 ? "" : entry.slice(slash);
  if (url.host !== host) return 0;
  const isBelow = path === "" || url.pathname === path || url.pathname.startsWith(`${path}/`);
  return isBelow ? entry.length : 0;
}
