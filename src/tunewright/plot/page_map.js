"use strict";
// The map itself: what is drawn, where it stands, and which point is where. page.js holds the rest.

const element = (id) => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");
const MARGIN = { left: 62, right: 18, top: 18, bottom: 50 };
const CELLS = 160; // cells per side of the grid that finds the point under the pointer
const REACH = 10; // pixels within which a point is under the pointer
const FONT = "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

let data, x, y, order, cellStart, cellItems, at;
const state = { grouping: 0, hidden: new Set(), view: null, hover: -1, pinned: -1, drag: null, moving: 0 };
const canvas = element("map");
const context = canvas.getContext("2d");
const home = () => ({ left: 0, right: data.limit, bottom: -0.02, top: 1.02 });
const grouping = () => data.groupings[state.grouping];
const shown = (index) => !state.hidden.has(grouping().codes[index]);
const colours = () => (dark.matches ? grouping().dark : grouping().light);

// indices of the keys in ascending order, and where each key starts; equal keys come in an order that only looks random
function countingSort(keys, size) {
  const start = new Uint32Array(size + 1);
  for (const key of keys) start[key + 1] += 1;
  for (let key = 0; key < size; key += 1) start[key + 1] += start[key];
  const next = start.slice();
  const items = new Uint32Array(keys.length);
  const stride = keys.length % 7919 ? 7919 : 7907; // a prime that does not divide the length reaches every index
  for (let k = 0, i = 0; k < keys.length; k += 1, i = (i + stride) % keys.length) items[next[keys[i]]++] = i;
  return [start, items];
}

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
const cell = (share) => clamp(Math.floor(share * CELLS), 0, CELLS - 1);

function makeGrid() {
  const keys = Uint32Array.from(x, (value, i) => cell(y[i]) * CELLS + cell(value / data.limit));
  [cellStart, cellItems] = countingSort(keys, CELLS * CELLS);
}

// groups of like size are drawn mixed, much smaller ones above them, so that no group buries another
function sortForDrawing() {
  const { codes, counts } = grouping();
  const most = Math.max(...counts);
  const ranks = counts.map((count) => (count ? Math.min(30, Math.floor(Math.log(most / count) / Math.log(5))) : 0));
  order = countingSort(Uint8Array.from(codes, (code) => ranks[code]), 31)[1];
}

// ---- geometry ----

// pixels = offset + scale * value on each axis; kept, because asking the canvas for its size is slow
function measure() {
  const { left, right, bottom, top } = state.view;
  const width = canvas.clientWidth - MARGIN.left - MARGIN.right;
  const height = canvas.clientHeight - MARGIN.top - MARGIN.bottom;
  const [scaleX, scaleY] = [width / (right - left), height / (bottom - top)];
  at = { width, height, scaleX, scaleY, offsetX: MARGIN.left - left * scaleX, offsetY: MARGIN.top - top * scaleY };
}

const toX = (value) => at.offsetX + at.scaleX * value;
const toY = (value) => at.offsetY + at.scaleY * value;
const fromX = (pixel) => (pixel - at.offsetX) / at.scaleX;
const fromY = (pixel) => (pixel - at.offsetY) / at.scaleY;
const centre = () => [MARGIN.left + at.width / 2, MARGIN.top + at.height / 2];
const magnification = () => (home().right - home().left) / (state.view.right - state.view.left);

function look(left, bottom, scale) {
  const all = home();
  const [spanX, spanY] = [(all.right - all.left) / scale, (all.top - all.bottom) / scale];
  const [low, deep] = [clamp(left, all.left, all.right - spanX), clamp(bottom, all.bottom, all.top - spanY)];
  state.view = { left: low, right: low + spanX, bottom: deep, top: deep + spanY };
  measure();
  clearTimeout(state.moving);
  state.moving = setTimeout(() => { state.moving = 0; draw(); }, 150);
  draw();
}

function zoom(factor, [pixelX, pixelY] = centre()) {
  const scale = clamp(magnification() * factor, 1, 400);
  const ratio = magnification() / scale;
  const [valueX, valueY] = [fromX(pixelX), fromY(pixelY)];
  look(valueX - (valueX - state.view.left) * ratio, valueY - (valueY - state.view.bottom) * ratio, scale);
}

function nearest(pixelX, pixelY) {
  const [left, right] = [fromX(pixelX - REACH), fromX(pixelX + REACH)].map((value) => cell(value / data.limit));
  const [bottom, top] = [fromY(pixelY + REACH), fromY(pixelY - REACH)].map(cell);
  let [best, least] = [-1, REACH * REACH];
  for (let row = bottom; row <= top; row += 1) {
    const [first, last] = [cellStart[row * CELLS + left], cellStart[row * CELLS + right + 1]];
    for (let k = first; k < last; k += 1) {
      const i = cellItems[k];
      const distance = (toX(x[i]) - pixelX) ** 2 + (toY(y[i]) - pixelY) ** 2;
      if (distance < least && shown(i)) [best, least] = [i, distance];
    }
  }
  return best;
}

// the nearest visible point in the quarter that an arrow key points to
function step(dx, dy) {
  const from = state.hover >= 0 ? state.hover : state.pinned;
  const fromPixel = from >= 0 ? [toX(x[from]), toY(y[from])] : centre();
  let [best, least] = [from, Infinity];
  for (let i = 0; i < x.length; i += 1) {
    const [offX, offY] = [toX(x[i]) - fromPixel[0], toY(y[i]) - fromPixel[1]];
    const along = offX * dx + offY * dy;
    const across = Math.abs(offX * dy) + Math.abs(offY * dx);
    const distance = along + 2 * across;
    if (along > 0.5 && across <= along && distance < least && shown(i)) [best, least] = [i, distance];
  }
  return best;
}

// ---- drawing ----

const MARKERS = {
  o: (c, r) => c.arc(0, 0, r, 0, 7),
  s: (c, r) => c.rect(-0.85 * r, -0.85 * r, 1.7 * r, 1.7 * r),
  D: (c, r) => polygon(c, [[0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]], r),
  v: (c, r) => polygon(c, [[-1.1, -0.9], [1.1, -0.9], [0, 1.1]], r),
  "^": (c, r) => polygon(c, [[-1.1, 0.9], [1.1, 0.9], [0, -1.1]], r),
  P: (c, r) => { c.rect(-1.15 * r, -0.4 * r, 2.3 * r, 0.8 * r); c.rect(-0.4 * r, -1.15 * r, 0.8 * r, 2.3 * r); },
  X: (c, r) => { c.rotate(Math.PI / 4); MARKERS.P(c, r); },
};

const polygon = (c, corners, r) => corners.forEach(([px, py]) => c.lineTo(px * r, py * r));

function stamp(marker, colour, radius, ratio) {
  const sprite = document.createElement("canvas");
  sprite.width = sprite.height = Math.ceil((2.6 * radius + 2) * ratio);
  const c = sprite.getContext("2d");
  c.translate(sprite.width / 2, sprite.height / 2);
  c.scale(ratio, ratio);
  c.fillStyle = colour;
  c.beginPath();
  MARKERS[marker](c, radius);
  c.fill();
  return sprite;
}

const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

// [value, text] of round values between low and high, about one per 90 pixels
function ticks(low, high, pixels) {
  const rough = (high - low) / Math.max(2, pixels / 90);
  const power = 10 ** Math.floor(Math.log10(rough));
  const size = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= rough);
  const digits = Math.max(0, -Math.floor(Math.log10(size) + 1e-9));
  const first = Math.ceil(low / size);
  const values = Array.from({ length: Math.floor(high / size) - first + 1 }, (_, k) => (first + k) * size);
  return values.map((value) => [value, Math.abs(value).toFixed(digits)]);
}

function write(text, px, py, align) {
  context.textAlign = align;
  context.fillText(text, px, py);
}

function drawTick(text, fromPixel, toPixel, place, align) {
  context.beginPath();
  context.moveTo(...fromPixel);
  context.lineTo(...toPixel);
  context.stroke();
  write(text, ...place, align);
}

function drawAxes() {
  const [bottom, right] = [MARGIN.top + at.height, MARGIN.left + at.width];
  context.font = `13px ${FONT}`;
  context.strokeStyle = ink("--grid");
  context.fillStyle = ink("--faint");
  for (const [value, text] of ticks(state.view.left, state.view.right, at.width)) {
    drawTick(text, [toX(value), MARGIN.top], [toX(value), bottom], [toX(value), bottom + 18], "center");
  }
  for (const [value, text] of ticks(state.view.bottom, state.view.top, at.height)) {
    drawTick(text, [MARGIN.left, toY(value)], [right, toY(value)], [MARGIN.left - 8, toY(value) + 4], "right");
  }
  context.fillStyle = ink("--ink");
  context.font = `14px ${FONT}`;
  write("variability", centre()[0], bottom + 40, "center");
  context.save();
  context.translate(17, centre()[1]);
  context.rotate(-Math.PI / 2);
  write("confidence", 0, 0, "center");
  context.restore();
}

// the largest variability a confidence allows
function drawBound() {
  context.strokeStyle = ink("--faint");
  context.setLineDash([5, 5]);
  context.beginPath();
  for (let k = 0; k <= 1000; k += 1) context.lineTo(toX(Math.sqrt((k / 1000) * (1 - k / 1000))), toY(k / 1000));
  context.stroke();
  context.setLineDash([]);
}

// in motion, a sample: drawing 100,000 points without a graphics card takes a third of a second
function drawPoints(ratio) {
  const { codes, counts, markers } = grouping();
  const growth = magnification() ** 0.3;
  const radius = Math.min(6, clamp(300 / Math.sqrt(x.length), 1.7, 4.5) * growth);
  const opacity = counts.map((count) => clamp((60 / Math.sqrt(count)) * growth, 0.3, 0.9));
  const sprites = markers.map((marker, code) => stamp(marker, colours()[code], radius, ratio));
  const size = sprites[0].width / ratio;
  const { left, right, bottom, top } = state.view;
  const stride = state.moving ? Math.ceil(x.length / 15000) : 1;
  for (let k = 0; k < order.length; k += stride) {
    const [i, code] = [order[k], codes[order[k]]];
    if (x[i] < left || x[i] > right || y[i] < bottom || y[i] > top || state.hidden.has(code)) continue;
    context.globalAlpha = opacity[code];
    context.drawImage(sprites[code], toX(x[i]) - size / 2, toY(y[i]) - size / 2, size, size);
  }
  context.globalAlpha = 1;
}

function drawCaptions() {
  const all = home();
  context.font = `600 15px ${FONT}`;
  context.textAlign = "center";
  context.lineWidth = 4;
  context.strokeStyle = ink("--halo");
  context.fillStyle = ink("--ink");
  for (const { text, x: shareX, y: shareY } of data.captions) {
    const [px, py] = [toX(shareX * all.right), toY(all.bottom + shareY * (all.top - all.bottom)) + 5];
    context.strokeText(text, px, py);
    context.fillText(text, px, py);
  }
}

function drawRing(i, radius) {
  if (i < 0) return;
  context.strokeStyle = ink("--ink");
  context.lineWidth = 2;
  context.beginPath();
  context.arc(toX(x[i]), toY(y[i]), radius, 0, 7);
  context.stroke();
}

let waiting = false;
const base = document.createElement("canvas"); // the picture without rings: hovering draws no point again
function paint() {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  drawAxes();
  context.save();
  context.beginPath();
  context.rect(MARGIN.left, MARGIN.top - 4, at.width + 4, at.height + 8);
  context.clip();
  drawBound();
  drawPoints(ratio);
  drawCaptions();
  context.restore();
  [base.width, base.height] = [canvas.width, canvas.height];
  base.getContext("2d").drawImage(canvas, 0, 0);
  rings();
}

function rings() {
  if (!base.width || waiting) return;
  context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  context.drawImage(base, 0, 0, canvas.clientWidth, canvas.clientHeight);
  drawRing(state.pinned, 9);
  drawRing(state.hover, 6);
}

function draw() {
  if (!waiting) requestAnimationFrame(() => { waiting = false; paint(); });
  waiting = true;
}
