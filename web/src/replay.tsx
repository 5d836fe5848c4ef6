/** The epoch slider: the data map as it was while the model learnt. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { isOwnMap, replayed } from "./plane";
import { epoch, run } from "./state";

const PACE = 900; // milliseconds per epoch

export function Replay() {
  const playing = useSignal(false);
  const epochs = run.value?.epochs ?? 0;
  const now = Math.min(epoch.value ?? epochs, epochs);
  useEffect(() => {
    if (epoch.value !== null) void replayed();
  }, [epoch.value, run.value?.id]);
  useEffect(() => {
    if (!playing.value) return undefined;
    const clock = setInterval(() => {
      const next = (epoch.value ?? epochs) + 1;
      if (next >= epochs) playing.value = false;
      epoch.value = next >= epochs ? null : next;
    }, PACE);
    return () => clearInterval(clock);
  }, [playing.value, epochs]);
  if (epochs < 2 || !isOwnMap.value) return null;
  const play = (): void => {
    if (!playing.value && now >= epochs) epoch.value = 1;
    playing.value = !playing.value;
  };
  return (
    <div class="replay">
      <button type="button" onClick={play} aria-pressed={playing.value} aria-label={playing.value ? "Pause" : "Replay the training"}>
        {playing.value ? "❚❚" : "▶"}
      </button>
      <label>
        <span class="muted">Epoch</span>
        <input
          type="range"
          min={1}
          max={epochs}
          value={now}
          aria-valuetext={`after epoch ${now} of ${epochs}`}
          onInput={(event) => {
            const to = Number(event.currentTarget.value);
            epoch.value = to >= epochs ? null : to;
          }}
        />
        <span class="number">
          {now} of {epochs}
        </span>
      </label>
    </div>
  );
}
