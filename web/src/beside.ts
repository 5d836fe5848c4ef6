/** A second run beside the open one: the same rows in the same order, so that views can set one against the other. */

import { api, during, points, second } from "./state";
import { columns } from "./wire";

/** Put a run beside the open one; null takes it away. */
export async function beside(id: string | null): Promise<void> {
  const first = points.value?.run.id;
  if (!id || !first || id === first) {
    second.value = null;
    return;
  }
  await during(async () => {
    const [info, bytes] = await Promise.all([api().run(id), api().points(id, first)]);
    if (points.value?.run.id !== first) return;
    second.value = { run: info, rows: points.value.rows, values: columns(bytes) };
  });
}
