import { describe, expect, it, vi } from "vitest";

import { PAGE, Pages } from "../src/table/pages";

const list = Uint32Array.from({ length: 1000 }, (_, at) => 999 - at);
const row = (number: number) => ({ row: number, id: `id-${number}`, values: {} });
const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 0));

describe("pages", () => {
  it("ask for what is in sight, a page at a time, once", async () => {
    const ask = vi.fn(async (at: readonly number[]) => ({ rows: at.map(row) }));
    const pages = new Pages(ask, () => undefined);
    pages.want(list, 90, 120);
    expect(ask.mock.calls.map(([at]) => at.length)).toEqual([PAGE, PAGE]);
    await settled();
    expect(pages.get(999 - 95)?.id).toBe("id-904");
    expect(pages.came.value).toBe(2);
    pages.want(list, 0, 200);
    expect(ask).toHaveBeenCalledTimes(2);
  });
  it("give up what went out of sight", async () => {
    const signals: AbortSignal[] = [];
    const pages = new Pages((_, signal) => (signals.push(signal), new Promise(() => undefined)), () => undefined);
    pages.want(list, 0, 20);
    pages.want(list, 500, 520);
    expect(signals.map((one) => one.aborted)).toEqual([true, false]);
    pages.stop();
    expect(signals.every((one) => one.aborted)).toBe(true);
  });
  it("say what failed, but not of what was given up", async () => {
    const failed = vi.fn();
    let fail: (error: Error) => void = () => undefined;
    const pages = new Pages(() => new Promise((_, no) => (fail = no)), failed);
    pages.want(list, 0, 20);
    pages.stop();
    fail(new Error("aborted"));
    await settled();
    expect(failed).not.toHaveBeenCalled();
    pages.want(list, 0, 20);
    fail(new Error("no"));
    await settled();
    expect(failed).toHaveBeenCalledOnce();
  });
  it("ask only for rows that they lack", async () => {
    const ask = vi.fn(async (at: readonly number[]) => ({ rows: at.map(row) }));
    const pages = new Pages(ask, () => undefined);
    pages.want(list, 0, 10);
    await settled();
    pages.want(Uint32Array.from([999, 3, 998, 4]), 0, 4);
    expect(ask.mock.calls[1]?.[0]).toEqual([3, 4]);
  });
});
