import type { Source } from "./api";

export function embedded(): Source | null {
  return null;
}
