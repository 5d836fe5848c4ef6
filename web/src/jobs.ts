/** Trainings that this server started, and the loss of those that run. */

import { signal } from "@preact/signals";

import type { Event, Job, StepLoss } from "./api";
import type { Line } from "./curve";
import { renew } from "./pending";
import { api, during, open, points, run } from "./state";
import { listen } from "./stream";

export interface Loss extends StepLoss {
  /** Milliseconds since 1970, when this page heard of it; null: it was told of the past. */
  readonly heard: number | null;
}

/** By id, newest last. */
export const jobs = signal<ReadonlyMap<string, Job>>(new Map());
/** Job that trains a version, by its name, of those that this page started. */
export const started = signal<ReadonlyMap<string, string>>(new Map());
/** By run, in the order of the steps. */
export const losses = signal<ReadonlyMap<string, readonly Loss[]>>(new Map());
/** Show the map of the run that trains, as it grows. */
export const following = signal(false);

/** Somebody started it in a shell, and only there it is stopped: it has no name but that of its run. */
export const elsewhere = (job: Job): boolean => job.id === job.run;

export const running = (job: Job): boolean => job.state === "waiting" || job.state === "running";

/** Hear of jobs and losses until the returned function is called. */
export function attend(): () => void {
  void during(async () => {
    for (const job of (await api().jobs()).jobs) keep(job);
  });
  return listen(heard);
}

function heard(event: Event): void {
  switch (event.event) {
    case "job":
      return finish(event.data);
    case "loss":
      return append(event.data.run, { ...event.data, heard: Date.now() });
    case "run":
      return grow(event.data.run, event.data.etag);
    case "pending":
  }
}

function keep(job: Job): void {
  jobs.value = new Map([...jobs.value, [job.id, job]]);
}

/** A job that has found its run, or its end, changes the list of runs. */
function finish(job: Job): void {
  const before = jobs.value.get(job.id);
  keep(job);
  if (job.run !== (before?.run ?? null) || !running(job)) void renew();
}

/** The losses with one more; what is told of a step that is known already is put beside what was. */
export function appended(known: readonly Loss[], one: Loss): readonly Loss[] {
  const last = known.at(-1);
  if (!last || last.step < one.step) return [...known, one];
  const there = known.find((other) => other.step === one.step);
  const merged = there ? { ...one, loss: one.loss ?? there.loss, eval_loss: one.eval_loss ?? there.eval_loss, heard: one.heard ?? there.heard } : one;
  return [...known.filter((other) => other !== there), merged].sort((a, b) => a.step - b.step);
}

function append(name: string, one: Loss): void {
  losses.value = new Map([...losses.value, [name, appended(losses.value.get(name) ?? [], one)]]);
}

/** Read the open run again when its columns changed, if the reader follows it. */
function grow(name: string, etag: string): void {
  if (following.value && points.value?.run.id === name && run.value?.etag !== etag) void open(name);
}

/** What a run logged so far, read once; what is heard later is added. */
export async function recall(name: string): Promise<void> {
  const told = await during(() => api().losses(name));
  for (const one of told?.losses ?? []) append(name, { ...one, heard: null });
}

/** Losses of one epoch: the mean while training, the last on validation rows; null where nothing was logged. */
export interface EpochLoss {
  readonly epoch: number;
  readonly loss: number | null;
  readonly eval_loss: number | null;
}

/** One line per epoch, counted from 1; what was logged at the very end of an epoch belongs to it. */
export function perEpoch(known: readonly Loss[]): readonly EpochLoss[] {
  const found = new Map<number, Loss[]>();
  for (const one of known) {
    const epoch = Math.max(1, Math.ceil(one.epoch - 1e-6));
    found.set(epoch, [...(found.get(epoch) ?? []), one]);
  }
  return [...found].map(([epoch, all]) => {
    const trained = all.flatMap((one) => one.loss ?? []);
    return {
      epoch,
      loss: trained.length ? trained.reduce((sum, one) => sum + one, 0) / trained.length : null,
      eval_loss: all.findLast((one) => one.eval_loss !== null)?.eval_loss ?? null,
    };
  });
}

/** Training and validation loss by step, those that were logged. */
export function curves(known: readonly Loss[]): readonly Line[] {
  const points = (of: (one: Loss) => number | null): Line["points"] => known.flatMap((one) => (of(one) === null ? [] : [{ x: one.step, y: of(one)! }]));
  const both = [{ name: "training", points: points((one) => one.loss) }, { name: "validation", points: points((one) => one.eval_loss) }];
  return both.filter((one) => one.points.length > 0);
}

/** Milliseconds within which losses come that were logged before this page listened. */
const AT_ONCE = 500;

/** Steps per second over the losses that were heard live; null: too few. */
export function pace(known: readonly Loss[]): number | null {
  const live = known.filter((one) => one.heard !== null);
  const first = live.findLast((one) => one.heard! - live[0]!.heard! < AT_ONCE);
  const last = live.at(-1);
  const seconds = first && last ? (last.heard! - first.heard!) / 1000 : 0;
  return first && last && seconds > 0 ? (last.step - first.step) / seconds : null;
}

/** Seconds until a training ends, at the pace at which its losses are heard; null: not known yet. */
export function remaining(progress: number | null, known: readonly Loss[]): number | null {
  const [speed, last] = [pace(known), known.at(-1)];
  return speed && progress && last ? (last.step * (1 / progress - 1)) / speed : null;
}

/** `40 s`, `3 min`, `1 h 20 min`. */
export function lasting(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Command that trains a version: what its jobs are known by. */
export const command = (version: string): string => `tunewright train --version ${version}`;

/** The training of a version: the one that this page started, else one that goes on. */
export function jobOf(version: string): Job | null {
  const mine = jobs.value.get(started.value.get(version) ?? "");
  return mine ?? [...jobs.value.values()].findLast((job) => running(job) && job.command === command(version)) ?? null;
}

/** Start the training of a version. */
export async function train(version: string): Promise<Job | null> {
  const job = await during(() => api().train(version));
  if (!job) return null;
  keep(job);
  started.value = new Map([...started.value, [version, job.id]]);
  return job;
}

export async function stop(id: string): Promise<void> {
  const job = await during(() => api().stop(id));
  if (job) keep(job);
}
