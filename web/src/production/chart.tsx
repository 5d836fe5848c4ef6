/** A line over windows of rows, with a threshold, and the same as a table for those who read it. */

import { number } from "../wire";
import type { Series } from "./report";

interface Chart {
  readonly title: string;
  readonly across: string;
  readonly series: Series;
  readonly threshold?: { readonly at: number; readonly says: string };
  /** How a value reads. */
  readonly format: (value: number) => string;
}

const WIDTH = 380;
const HEIGHT = 120;
const EDGE = { left: 44, right: 8, top: 8, bottom: 20 } as const;

export function Chart({ title, across, series, threshold, format }: Chart) {
  const { points } = series;
  const ys = [...points.map((one) => one.y), ...(threshold ? [threshold.at] : [])];
  const [low, high] = padded(Math.min(...ys), Math.max(...ys));
  const [first, last] = [points[0]?.x ?? 0, points.at(-1)?.x ?? 1];
  const x = (value: number): number => EDGE.left + ((value - first) / (last - first || 1)) * (WIDTH - EDGE.left - EDGE.right);
  const y = (value: number): number => HEIGHT - EDGE.bottom - ((value - low) / (high - low)) * (HEIGHT - EDGE.top - EDGE.bottom);
  const line = points.map((one, at) => `${at ? "L" : "M"}${x(one.x).toFixed(1)} ${y(one.y).toFixed(1)}`).join("");
  return (
    <figure class="curve">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        {[low, (low + high) / 2, high].map((value) => (
          <g key={value}>
            <line class="grid" x1={EDGE.left} x2={WIDTH - EDGE.right} y1={y(value)} y2={y(value)} />
            <text x={EDGE.left - 5} y={y(value) + 4} text-anchor="end">
              {format(value)}
            </text>
          </g>
        ))}
        {threshold && <line class="threshold" x1={EDGE.left} x2={WIDTH - EDGE.right} y1={y(threshold.at)} y2={y(threshold.at)} />}
        <path class="line" d={line} />
        {points.length < 60 && points.map((one) => <circle key={one.x} cx={x(one.x)} cy={y(one.y)} r="2.5" />)}
        <text x={EDGE.left} y={HEIGHT - 5}>
          {number(first)}
        </text>
        <text x={WIDTH - EDGE.right} y={HEIGHT - 5} text-anchor="end">
          {across} {number(last)}
        </text>
      </svg>
      {threshold && <p class="small muted">Dashed: {threshold.says}</p>}
      <details class="small">
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{across}</th>
              <th scope="col">{title}</th>
            </tr>
          </thead>
          <tbody>
            {points.map((one) => (
              <tr key={one.x}>
                <td class="number">{number(one.x)}</td>
                <td class="number">{format(one.y)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

/** A range with some room, and never empty. */
function padded(low: number, high: number): readonly [number, number] {
  const room = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}
