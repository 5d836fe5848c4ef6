/** The axes of a map whose coordinates mean something: ticks, names, and on the data map what their ends mean. */

import { info, isDataMap, isOwnMap, place } from "./plane";
import type { Seen } from "./overlay";
import { pixel, point } from "./render/camera";

const FOOT = 34; // pixels from the bottom to the horizontal axis
const GUTTER = 56; // pixels from the left to the vertical axis

/** Round numbers between two ends, about `count` of them.
 *
 * ticks(0, 1, 5) is [0, 0.2, 0.4, 0.6, 0.8, 1] */
export function ticks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = [1, 2, 5, 10].find((one) => one * power >= rough * (1 - 1e-9))! * power;
  const first = Math.ceil(low / unit - 1e-9);
  const last = Math.floor(high / unit + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => Number(((first + k) * unit).toPrecision(12)));
}

/** A tick with all digits that it needs: beside its neighbours, fewer would say the same of all. */
const ticked = (value: number): string => value.toLocaleString("en", { maximumSignificantDigits: 12 });

export function Axes({ size, camera }: Seen) {
  const { width, height } = size;
  const from = point(camera, { x: GUTTER, y: height - FOOT }, width, height);
  const to = point(camera, { x: width - 10, y: 10 }, width, height);
  const level = (value: number): number => pixel(camera, { x: 0, y: value }, width, height).y;
  const along = (value: number): number => pixel(camera, { x: value, y: 0 }, width, height).x;
  return (
    <g>
      {isDataMap.value && <Limit size={size} camera={camera} />}
      <path class="grid" d={`M${GUTTER} 6V${height - FOOT}H${width - 6}`} />
      {ticks(from.y, to.y, 5).map((value) => (
        <text key={`y${value}`} class="axis" x={GUTTER - 6} y={level(value) + 4} text-anchor="end">
          {ticked(value)}
        </text>
      ))}
      {ticks(from.x, to.x, 6).map((value) => (
        <text key={`x${value}`} class="axis" x={along(value)} y={height - FOOT + 14} text-anchor="middle">
          {ticked(value)}
        </text>
      ))}
      {isDataMap.value ? <Words size={size} /> : <Titles size={size} />}
    </g>
  );
}

const FLOOR = 6; // pixels below the names of the horizontal axis
const upright = (y: number): string => `translate(14 ${y}) rotate(-90)`;

/** A column with its unit. */
function titled(name: string | undefined): string {
  const unit = info(name ?? null)?.unit;
  return `${name ?? ""}${unit ? `, ${unit}` : ""}`;
}

function Titles({ size: { width, height } }: Pick<Seen, "size">) {
  return (
    <g class="axis">
      <text class="title" x={(GUTTER + width) / 2} y={height - FLOOR} text-anchor="middle">
        {titled(place.value?.x)}
      </text>
      <text class="title" transform={upright((height - FOOT) / 2)} text-anchor="middle">
        {titled(place.value?.y)}
      </text>
    </g>
  );
}

/** Names of the axes of the data map, with what lies at their ends. */
function Words({ size: { width, height } }: Pick<Seen, "size">) {
  const base = height - FLOOR;
  return (
    <g class="axis">
      <text x={GUTTER} y={base}>
        always the same
      </text>
      <text class="title" x={(GUTTER + width) / 2} y={base} text-anchor="middle">
        {isOwnMap.value ? "variability over the epochs" : "variability, mean of the runs"}
      </text>
      <text x={width - 8} y={base} text-anchor="end">
        ambiguous →
      </text>
      <text transform={upright(height - FOOT)}>← hard to learn</text>
      <text class="title" transform={upright((height - FOOT) / 2)} text-anchor="middle">
        {isOwnMap.value ? "confidence" : "confidence, mean of the runs"}
      </text>
      <text transform={upright(8)} text-anchor="end">
        easy to learn →
      </text>
    </g>
  );
}

/** Numbers in [0, 1] of a mean c deviate by at most √(c(1 − c)): no point lies to the right of this half circle. */
function Limit({ size, camera }: Seen) {
  const top = pixel(camera, { x: 0, y: 1 }, size.width, size.height);
  const foot = pixel(camera, { x: 0, y: 0 }, size.width, size.height);
  return <path class="limit" d={`M${top.x} ${top.y}A${0.5 * camera.sx} ${0.5 * camera.sy} 0 0 1 ${foot.x} ${foot.y}`} />;
}
