// What is read: records, legend, pointer and keys. All dataset text reaches the page through textContent.

const TIP_CHARS = 320; // characters of a text shown in the tooltip; a pinned record shows all that the file has

async function decode(base64) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

// control and direction characters would vanish or reorder the line: they are written out
function visible(text) {
  return text
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(/[\u0000-\u0008\u000b-\u001f]/g, (char) => String.fromCharCode(0x2400 + char.charCodeAt(0)))
    .replace(/[\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g,
      (char) => `⟨U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

function add(parent, tag, text, kind) {
  const child = parent.appendChild(document.createElement(tag));
  if (text !== undefined) child.textContent = text;
  if (kind) child.className = kind;
  return child;
}

function fill(cell, value, most) {
  if (value === null) return void add(cell, "span", "none", "note");
  const number = typeof value === "number" && Number(value.toPrecision(4));
  const { text, length } = typeof value === "object" ? value : { text: String(number || value), length: 0 };
  const beginning = Array.from(text.slice(0, most * 2)).slice(0, most).join("");
  cell.dir = "auto";
  add(cell, "span", visible(beginning) + (length || beginning.length < text.length ? "…" : ""));
  if (length) add(cell, "span", ` cut: the text has ${length.toLocaleString("en")} characters`, "note");
}

function describe(parent, index, most) {
  const long = add(parent, "dl");
  const short = add(parent, "dl", undefined, "short");
  for (const [name, values] of data.fields) {
    const value = values[index];
    const isLong = value !== null && (typeof value === "object" || String(value).length > 30);
    const list = isLong ? long : short;
    add(list, "dt", visible(name));
    fill(add(list, "dd"), value, most);
  }
}

// ---- reading ----

function point(i) {
  if (i === state.hover) return;
  state.hover = i;
  const tip = element("tip");
  tip.hidden = i < 0;
  rings();
  if (i < 0) return;
  tip.replaceChildren();
  describe(tip, i, TIP_CHARS);
  const frame = canvas.getBoundingClientRect();
  const [px, py] = [frame.left + toX(x[i]), frame.top + toY(y[i])];
  const right = px + 18 + tip.offsetWidth < frame.right || px - 18 - tip.offsetWidth < frame.left;
  tip.style.left = `${clamp(right ? px + 18 : px - 18 - tip.offsetWidth, 4, innerWidth - tip.offsetWidth - 4)}px`;
  tip.style.top = `${clamp(py + 14, 4, Math.max(4, innerHeight - tip.offsetHeight - 8))}px`;
}

function pin(i) {
  state.pinned = i;
  element("tip").hidden = true; // the panel says the same
  const record = element("record");
  record.replaceChildren();
  if (i >= 0) {
    const head = add(record, "div");
    add(head, "h2", "Pinned record");
    add(head, "button", "Let go").addEventListener("click", () => { pin(-1); canvas.focus(); });
    describe(record, i, Infinity);
    record.scrollIntoView({ block: "nearest" });
  }
  rings();
}

// ---- legend ----

function toggle(code, alone) {
  const others = grouping().names.map((_, other) => other).filter((other) => other !== code);
  const isAlone = others.every((other) => state.hidden.has(other)) && !state.hidden.has(code);
  if (alone) state.hidden = new Set(isAlone ? [] : others);
  else if (!state.hidden.delete(code)) state.hidden.add(code);
  const buttons = element("legend").childNodes;
  buttons.forEach((button, other) => button.setAttribute("aria-pressed", !state.hidden.has(other)));
  point(-1);
  draw();
}

function legend() {
  const { names, counts, markers } = grouping();
  element("legend").replaceChildren();
  names.forEach((name, code) => {
    const button = add(element("legend"), "button");
    button.type = "button";
    button.title = visible(name);
    button.setAttribute("aria-pressed", !state.hidden.has(code));
    button.append(stamp(markers[code], colours()[code], 5.4, 2));
    add(button, "span", visible(name));
    add(button, "span", counts[code].toLocaleString("en"));
    button.addEventListener("click", (event) => toggle(code, event.shiftKey));
  });
}

function regroup() {
  sortForDrawing();
  legend();
  point(-1);
  draw();
}

// ---- pointer and keys ----

function listen() {
  const place = (event) => [event.offsetX, event.offsetY];
  canvas.addEventListener("pointerdown", (event) => {
    state.drag = { from: place(event), view: { ...state.view }, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const [px, py] = place(event);
    if (!state.drag) return point(nearest(px, py));
    const [offX, offY] = [px - state.drag.from[0], py - state.drag.from[1]];
    if (!state.drag.moved && Math.hypot(offX, offY) < 4) return;
    state.drag.moved = true;
    point(-1);
    const { left, right, bottom, top } = state.drag.view;
    look(left - (offX / at.width) * (right - left), bottom + (offY / at.height) * (top - bottom), magnification());
  });
  canvas.addEventListener("pointerup", (event) => {
    if (state.drag && !state.drag.moved) pin(nearest(...place(event)));
    state.drag = null;
  });
  canvas.addEventListener("pointercancel", () => { state.drag = null; });
  for (const away of ["pointerleave", "blur"]) canvas.addEventListener(away, () => point(-1));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    point(-1);
    zoom(Math.exp(-event.deltaY * 0.0015), place(event));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  const reset = () => look(0, 0, 1);
  const keys = {
    ArrowLeft: () => point(step(-1, 0)), ArrowRight: () => point(step(1, 0)),
    ArrowUp: () => point(step(0, -1)), ArrowDown: () => point(step(0, 1)),
    Enter: () => pin(state.hover), Escape: () => { point(-1); pin(-1); },
    "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: reset,
  };
  element("in").addEventListener("click", () => zoom(1.5));
  element("out").addEventListener("click", () => zoom(1 / 1.5));
  element("home").addEventListener("click", reset);
  element("colour").addEventListener("change", (event) => {
    state.grouping = event.target.selectedIndex;
    state.hidden = new Set();
    regroup();
  });
  dark.addEventListener("change", () => { legend(); draw(); });
  new ResizeObserver(() => { measure(); draw(); }).observe(element("plot"));
}

async function start() {
  data = await decode(element("data").textContent);
  const fields = new Map(data.fields);
  x = Float32Array.from(fields.get("variability"));
  y = Float32Array.from(fields.get("confidence"));
  document.title = element("title").textContent = visible(data.title);
  element("facts").textContent = visible(data.facts.join(" · "));
  element("note").textContent = data.note;
  canvas.setAttribute("aria-label", `Data map of ${x.length} examples`);
  data.groupings.forEach(({ name }) => add(element("colour"), "option", visible(name)));
  state.view = home();
  measure();
  makeGrid();
  regroup();
  listen();
  document.documentElement.dataset.ready = "yes";
}

start();
