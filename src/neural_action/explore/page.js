"use strict";
// State: the window in focus, the selected windows, and the row and map that are shown. The page is drawn from it.
// `index` and `indices` are numbers of windows; all arrays of windows are parallel.
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const about = read("described");
const state = { focus: 0, selected: null, row: 0, layout: null, playing: true, began: 0 };
// Filled when the page starts: arrays by name, Bokeh's models, coordinates of the windows, and a grid to search them.
let data, models, xs, ys, grid;

const TYPES = { uint8: Uint8Array, uint16: Uint16Array, int16: Int16Array, uint32: Uint32Array, float32: Float32Array,
  float64: Float64Array };

async function unpack({ type, data }) {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new TYPES[type](await new Response(stream).arrayBuffer());
}

function element(name, attributes = {}, parent = null, text = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

// Drawn names are shortened; tooltips have the full name.
const NONE = { name: "not labelled", short: "not labelled", color: "#d5dae2" };
const classOf = (label) => (label < 0 ? NONE : about.classes[label]);
const className = (label) => classOf(label).name;
const animalOf = (index) => data.animal[index];
const seconds = (value) => `${value.toFixed(1)} s`;

// --- the maps ---------------------------------------------------------------------------------------------------

function showMaps() {
  const flat = data[`row:${state.row}:${state.layout}`], count = flat.length / 2;
  xs = Float32Array.from({ length: count }, (_, i) => flat[2 * i]);
  ys = Float32Array.from({ length: count }, (_, i) => flat[2 * i + 1]);
  grid = new Grid(xs, ys);
  models.label_names.data = directLabels(data.label, about.classes);
  models.animal_names.data = directLabels(data.animal, about.animals);
  fit();
  const row = about.rows[state.row];
  $("run").textContent = `${row.label}, ${row.run}: ${count.toLocaleString("en")} windows. Distances between islands of a t-SNE have no meaning.`;
  showFocus();
}

// The dots of each map are painted into one canvas, in random order, so that no trial lies on top of the others.
const paint = { asked: false, order: null, chosen: null };
function repaint() {
  if (paint.asked) return;
  paint.asked = true;
  requestAnimationFrame(() => { paint.asked = false; for (const map of models.maps) paintMap(map); });
}

function rgb(color) { return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)); }

// Pixels around a centre, and the share of each that a disc covers.
function disc(radius) {
  const side = Math.ceil(radius), out = [];
  for (let i = -side; i <= side; i++) for (let j = -side; j <= side; j++) {
    const share = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(i, j)));
    if (share > 0) out.push([i, j, share]);
  }
  return out;
}

function paintMap({ view, canvas, group, colors }) {
  const { left, top, width, height } = view.frame.bbox, dots = Math.min(devicePixelRatio || 1, 2);
  const box = view.el.getBoundingClientRect(), around = $("plot").getBoundingClientRect();
  const wide = Math.max(1, Math.round(width * dots)), tall = Math.max(1, Math.round(height * dots));
  if (canvas.width !== wide || canvas.height !== tall) { canvas.width = wide; canvas.height = tall; }
  canvas.style.cssText = `left:${box.left - around.left + left}px;top:${box.top - around.top + top}px;width:${width}px;height:${height}px`;
  const context = canvas.getContext("2d"), picture = context.createImageData(wide, tall), pixels = picture.data;
  pixels.fill(255);
  const { start: x0, end: x1 } = models.across, { start: y0, end: y1 } = models.up;
  const across = wide / (x1 - x0), up = tall / (y1 - y0), radius = dots * (xs.length > 30000 ? 1.5 : xs.length > 8000 ? 2 : 2.5);
  const stamp = disc(radius), none = rgb("#d5dae2"), rest = rgb("#c4cad4");
  const stroke = (index, [r, g, b], strength) => {
    const px = Math.round((xs[index] - x0) * across), py = tall - 1 - Math.round((ys[index] - y0) * up);
    if (px < -4 || py < -4 || px > wide + 4 || py > tall + 4) return;
    for (const [i, j, share] of stamp) {
      const u = px + i, v = py + j;
      if (u < 0 || v < 0 || u >= wide || v >= tall) continue;
      const at = 4 * (v * wide + u), a = share * strength;
      pixels[at] += a * (r - pixels[at]);
      pixels[at + 1] += a * (g - pixels[at + 1]);
      pixels[at + 2] += a * (b - pixels[at + 2]);
    }
  };
  const color = (index) => (group[index] < 0 ? none : colors[group[index]]);
  if (!paint.chosen) for (const index of paint.order) stroke(index, color(index), 0.8);
  else {
    for (const index of paint.order) if (!paint.chosen[index]) stroke(index, rest, 0.3);
    for (const index of paint.order) if (paint.chosen[index]) stroke(index, color(index), 0.95);
  }
  context.putImageData(picture, 0, 0);
}

// Margin around the map for names at its edges, as a share of the extent of the windows.
const ROOM = 0.09;
function fit() {
  for (const [range, values] of [[models.across, xs], [models.up, ys]]) {
    const [low, high] = [min(values), max(values)], room = ROOM * (high - low || 1);
    range.setv({ start: low - room, end: high + room });
  }
}

// Puts the name of each group where the group is dense and has most of the windows; without such a place, no name.
function directLabels(group, names) {
  const x = xs, y = ys, side = 26, count = new Map();
  const [left, right, low, high] = [min(x), max(x), min(y), max(y)];
  const cell = (i) => Math.min(side - 1, Math.floor(((x[i] - left) / (right - left || 1)) * side)) * side +
    Math.min(side - 1, Math.floor(((y[i] - low) / (high - low || 1)) * side));
  const all = new Uint32Array(side * side);
  for (let i = 0; i < x.length; i++) {
    const at = cell(i), key = group[i];
    all[at]++;
    if (key < 0) continue;
    if (!count.has(key)) count.set(key, new Uint32Array(side * side));
    count.get(key)[at]++;
  }
  const every = around(all, side), placed = [], out = { x: [], y: [], text: [] };
  // Each map has half of the width; a character is about 8 pixels wide.
  const pixel = (1 + 2 * ROOM) / ($("plot").clientWidth / 2);
  for (const [key, own] of [...count].sort((a, b) => max(b[1]) - max(a[1]))) {
    const wide = around(own, side), least = 0.05 * sum(own);
    const best = [...own.keys()].filter((at) => own[at] && wide[at] > 0.5 * every[at] && wide[at] >= least).sort((a, b) => wide[b] - wide[a]);
    const free = best.find((at) => placed.every((other) =>
      Math.abs(Math.floor(at / side) - Math.floor(other / side)) > 5 || Math.abs((at % side) - (other % side)) > 1));
    if (free === undefined) continue;
    placed.push(free);
    const half = 4 * names[key].short.length * pixel, across = (Math.floor(free / side) + 0.5) / side;
    out.x.push(left + Math.min(Math.max(across, half - ROOM), 1 + ROOM - half) * (right - left));
    out.y.push(low + (((free % side) + 0.5) / side) * (high - low));
    out.text.push(names[key].short);
  }
  return out;
}

// Sum over each cell and its eight neighbours.
function around(cells, side) {
  return cells.map((_, at) => {
    let sum = 0;
    for (const i of [-1, 0, 1]) for (const j of [-1, 0, 1]) {
      const row = Math.floor(at / side) + i, column = (at % side) + j;
      if (row >= 0 && row < side && column >= 0 && column < side) sum += cells[row * side + column];
    }
    return sum;
  });
}

const sum = (values) => values.reduce((a, b) => a + b, 0);
function min(values) { let m = Infinity; for (const v of values) if (v < m) m = v; return m; }
function max(values) { let m = -Infinity; for (const v of values) if (v > m) m = v; return m; }

// Windows by cells of the plane, to find the windows near a point.
class Grid {
  constructor(x, y) {
    this.x = x; this.y = y; this.side = Math.max(1, Math.min(200, Math.floor(Math.sqrt(x.length / 4))));
    this.left = min(x); this.low = min(y);
    this.step = Math.max((max(x) - this.left) / this.side, (max(y) - this.low) / this.side) || 1;
    this.cells = new Map();
    for (let i = 0; i < x.length; i++) {
      const key = this.key(this.at(x[i], this.left), this.at(y[i], this.low));
      if (!this.cells.has(key)) this.cells.set(key, []);
      this.cells.get(key).push(i);
    }
  }
  at(value, from) { return Math.floor((value - from) / this.step); }
  key(i, j) { return i * 1009 + j; }
  // The `count` windows nearest to a point, nearest first, searched in growing squares of at most `rings` cells.
  nearest(x, y, count, rings = Infinity) {
    const i = this.at(x, this.left), j = this.at(y, this.low), far = (k) => (this.x[k] - x) ** 2 + (this.y[k] - y) ** 2;
    for (let ring = 1; ; ring = ring < 4 ? ring + 1 : 2 * ring) {
      const found = [];
      for (let a = i - ring; a <= i + ring; a++) {
        for (let b = j - ring; b <= j + ring; b++) {
          if (a >= 0 && b >= 0 && b < 1009) found.push(...(this.cells.get(this.key(a, b)) ?? []));
        }
      }
      const sorted = found.sort((p, q) => far(p) - far(q)).slice(0, count);
      if ((sorted.length === count && far(sorted[count - 1]) <= (ring * this.step) ** 2) || ring > this.side + 1 || ring >= rings) return sorted;
    }
  }
}

function showFocus() {
  const index = state.focus, trial = data.trial[index];
  models.here.data = { x: [xs[index]], y: [ys[index]] };
  const path = { x: [], y: [] };
  for (let i = trialFirst(trial); i < data.trial.length && data.trial[i] === trial; i++) {
    if (Math.abs(data.time[i] - data.time[index]) <= 2 * about.windowSeconds) { path.x.push(xs[i]); path.y.push(ys[i]); }
  }
  models.path.data = path;
  const { animal, name, short } = about.trials[trial];
  $("readout").replaceChildren(...[
    ["action", classOf(data.label[index])], ["animal", about.animals[animal]],
    ["trial", { name, short }],
    ["time", { name: "", short: seconds(data.time[index]) }],
  ].flatMap(([key, { name, short, color }]) => {
    const term = document.createElement("span"), said = document.createElement("b");
    term.textContent = key;
    if (color) { const dot = document.createElement("i"); dot.style.background = color; said.append(dot); }
    said.append(short);
    said.title = name;
    said.dataset.key = key;
    return [term, said];
  }));
  showTrial(trial, index);
  state.began = performance.now();
  drawFigure(0.5);
}

// --- selection --------------------------------------------------------------------------------------------------

function select(indices) {
  state.selected = indices.length ? indices : null;
  paint.chosen = null;
  if (state.selected) {
    paint.chosen = new Uint8Array(data.label.length);
    for (const index of indices) paint.chosen[index] = 1;
    if (!paint.chosen[state.focus]) focus(indices[0]);
  }
  repaint();
  showSelection();
}

// Selects the windows in a lasso or a box; with shift, adds them to the selection.
function brushed({ geometry, final }) {
  if (!final) return;
  const inside = geometry.type === "poly" ? polygon(geometry.x, geometry.y)
    : (x, y) => x >= Math.min(geometry.x0, geometry.x1) && x <= Math.max(geometry.x0, geometry.x1) &&
      y >= Math.min(geometry.y0, geometry.y1) && y <= Math.max(geometry.y0, geometry.y1);
  const before = state.shift ? paint.chosen : null;
  select(where((index) => before?.[index] || inside(xs[index], ys[index])));
}

function polygon(px, py) {
  const left = min(px), right = max(px), low = min(py), high = max(py);
  return (x, y) => {
    if (x < left || x > right || y < low || y > high) return false;
    let odd = false;
    for (let i = 0, j = px.length - 1; i < px.length; j = i++) {
      if (py[i] > y !== py[j] > y && x < ((px[j] - px[i]) * (y - py[i])) / (py[j] - py[i]) + px[i]) odd = !odd;
    }
    return odd;
  };
}

function showSelection() {
  const indices = state.selected ?? [];
  const total = data.label.length, chosen = state.selected ?? [...data.label.keys()];
  $("count").textContent = state.selected ? `${indices.length.toLocaleString("en")} of ${total.toLocaleString("en")} windows` : `none; all ${total.toLocaleString("en")} windows:`;
  $("clear").hidden = !state.selected;
  shares("by-class", "by action", about.classes, chosen, (index) => data.label[index]);
  shares("by-animal", "by animal", about.animals, chosen, animalOf);
  for (const [id, group] of [["classes", (index) => data.label[index]], ["animals", animalOf]]) {
    const only = state.selected ? group(indices[0]) : -2, pure = state.selected && indices.every((index) => group(index) === only);
    for (const chip of $(id).children) {
      const key = Number(chip.dataset.key);
      chip.setAttribute("aria-pressed", String(Boolean(pure && key === only && indices.length === totalOf(id, key))));
    }
  }
}

const totals = new Map();
function totalOf(id, key) {
  const name = `${id}:${key}`;
  if (!totals.has(name)) {
    let count = 0;
    for (let index = 0; index < data.label.length; index++) if ((id === "classes" ? data.label[index] : animalOf(index)) === key) count++;
    totals.set(name, count);
  }
  return totals.get(name);
}

function shares(id, title, names, indices, group) {
  const counts = new Array(names.length).fill(0);
  let none = 0;
  for (const index of indices) { const key = group(index); if (key < 0) none++; else counts[key]++; }
  const rows = names.map((known, key) => [known, counts[key]]);
  if (none) rows.push([NONE, none]);
  const most = Math.max(1, ...rows.map((row) => row[1])), heading = document.createElement("h3");
  heading.textContent = title;
  $(id).replaceChildren(heading, ...rows.filter((row) => row[1] || rows.length <= 12).map(([{ name, short, color }, count]) => {
    const row = document.createElement("div");
    row.className = "share";
    row.innerHTML = '<span></span><span class="track"><span class="bar" style="display:block"></span></span><output></output>';
    row.children[0].textContent = short;
    row.children[0].title = name;
    if (count) row.querySelector(".bar").style.cssText += `min-width:1px;width:${(100 * count) / most}%;background:${color}`;
    row.children[2].textContent = `${count.toLocaleString("en")} · ${((100 * count) / Math.max(1, indices.length)).toFixed(0)} %`;
    return row;
  }));
}

const where = (test) => { const out = []; for (let index = 0; index < data.label.length; index++) if (test(index)) out.push(index); return out; };

function chips(id, names, group) {
  $(id).replaceChildren(...names.map(({ name, short, color }, key) => {
    const chip = document.createElement("button");
    chip.type = "button"; chip.className = "chip"; chip.dataset.key = key;
    chip.setAttribute("aria-pressed", "false");
    chip.innerHTML = "<i></i><span></span>";
    chip.children[0].style.background = color;
    chip.children[1].textContent = short;
    chip.title = name;
    chip.onclick = () => select(chip.getAttribute("aria-pressed") === "true" ? [] : where((index) => group(index) === key));
    return chip;
  }));
}

// --- the trial --------------------------------------------------------------------------------------------------

const firsts = new Map();
function trialFirst(trial) {
  if (!firsts.size) for (let index = data.trial.length - 1; index >= 0; index--) firsts.set(data.trial[index], index);
  return firsts.get(trial);
}
function trialLast(trial) {
  let index = trialFirst(trial);
  while (index + 1 < data.trial.length && data.trial[index + 1] === trial) index++;
  return index;
}

const STRIP = { wide: 1000, high: 100 };
let shownTrial = -1;
function showTrial(trial, index) {
  const { animal, name, short, start, end } = about.trials[trial], strip = $("strip");
  const across = (time) => (STRIP.wide * (time - start)) / Math.max(1e-9, end - start);
  if (trial !== shownTrial) {
    shownTrial = trial;
    $("trial-name").textContent = `Trial ${short} of ${about.animals[animal].short}, ${seconds(end - start)}`;
    $("trial-name").title = `${name} of ${about.animals[animal].name}`;
    strip.setAttribute("viewBox", `0 0 ${STRIP.wide} ${STRIP.high}`);
    strip.replaceChildren();
    const bands = about.traces.filter((key) => key === "action" || shownTrace(key, trial));
    $("strip-names").replaceChildren(...bands.map((key) => { const span = document.createElement("span"); span.textContent = { action: "action", movement: "movement", activity: "activity" }[key]; return span; }));
    bands.forEach((key, band) => drawBand(strip, key, trial, (band * STRIP.high) / bands.length, STRIP.high / bands.length));
    element("rect", { id: "window", y: 0, height: STRIP.high, fill: "#1d2330", "fill-opacity": 0.1 }, strip);
    element("line", { id: "now", y1: 0, y2: STRIP.high, stroke: "#1d2330", "stroke-width": 1.5, "vector-effect": "non-scaling-stroke" }, strip);
    $("scrub").max = trialLast(trial) - trialFirst(trial);
  }
  const half = about.windowSeconds / 2, left = across(data.time[index] - half);
  $("window").setAttribute("x", left);
  $("window").setAttribute("width", across(data.time[index] + half) - left);
  $("scrub").value = index - trialFirst(trial);
  $("scrub").setAttribute("aria-valuetext", `${seconds(data.time[index])}, ${className(data.label[index])}`);
}

const trace = (key, trial) => data[`trace:${key}`].subarray(trial * about.tracePoints, (trial + 1) * about.tracePoints);
const shownTrace = (key, trial) => trace(key, trial).some((value) => value > 0);

function drawBand(strip, key, trial, top, high) {
  const values = trace(key, trial), step = STRIP.wide / values.length;
  if (key === "action") {
    for (let i = 0, from = 0; i <= values.length; i++) {
      if (i < values.length && values[i] === values[from]) continue;
      if (values[from] !== 255) element("rect", { x: from * step, y: top + 2, width: (i - from) * step, height: high - 4, fill: classOf(values[from]).color }, strip)
        .append(element("title", {}, null, className(values[from])));
      from = i;
    }
    return;
  }
  const points = Array.from(values, (value, i) => `${(i * step).toFixed(1)},${(top + high - 3 - ((high - 6) * value) / 255).toFixed(1)}`);
  element("polyline", { points: points.join(" "), fill: "none", stroke: key === "activity" ? "#0072B2" : "#5d6675", "stroke-width": 1.3,
    "vector-effect": "non-scaling-stroke" }, strip);
}

// --- the moving figure ------------------------------------------------------------------------------------------

const COLORS = { "front leg": "#0072B2", "middle leg": "#E69F00", "hind leg": "#009E73", abdomen: "#8a93a3",
  midline: "#0072B2", head: "#E69F00" };
const PALETTE = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#B8A200", "#4A4A4A"];
let figureViews = [];

// Behaviour at a time (s) of a trial, interpolated between samples; one number for each column.
function behaviorAt(trial, time) {
  const columns = about.moments.low.length, first = data.poseFirst[trial], count = data.poseFirst[trial + 1] - first;
  const at = Math.min(Math.max((time - data.poseStart[trial]) * data.poseRate[trial], 0), count - 1);
  const before = Math.floor(at), after = Math.min(before + 1, count - 1), share = at - before, out = new Float32Array(columns);
  for (let c = 0; c < columns; c++) {
    const one = data.pose[(first + before) * columns + c], two = data.pose[(first + after) * columns + c];
    out[c] = about.moments.low[c] + ((one + share * (two - one)) / 255) * (about.moments.high[c] - about.moments.low[c]);
  }
  return out;
}

function prepareFigure() {
  const svg = $("figure"), { kind, views, parts, low, high, columns } = about.moments;
  svg.replaceChildren();
  if (kind === "none") {
    svg.setAttribute("viewBox", "0 0 200 60");
    element("text", { x: 100, y: 32, "text-anchor": "middle" }, svg, "These recordings have no behaviour.");
    return;
  }
  if (kind === "features") {
    svg.setAttribute("viewBox", "0 0 300 150");
    return;
  }
  const axes = low.length / columns.length, wide = 300 / views.length, tall = 150;
  svg.setAttribute("viewBox", `0 0 300 ${tall}`);
  figureViews = views.map((view, at) => {
    const own = new Set(view.keypoints), group = element("g", {}, svg), color = new Map();
    if (views.length > 1) element("text", { x: wide * (at + 0.5), y: tall - 4, "text-anchor": "middle" }, group, view.name);
    const lines = parts.filter((part) => part.keypoints.every((k) => own.has(k))).map((part, n) => {
      const stroke = COLORS[part.name] ?? PALETTE[n % PALETTE.length];
      for (const k of part.keypoints) color.set(k, stroke);
      return [part.keypoints, element("polyline", { fill: "none", stroke, "stroke-width": 2.6, "stroke-linecap": "round", "stroke-linejoin": "round" }, group)];
    });
    const dots = view.keypoints.map((k) => {
      const dot = element("circle", { r: 2.4, fill: color.get(k) ?? "#5d6675" }, group);
      dot.append(element("title", {}, null, columns[k]));
      return [k, dot];
    });
    return { ...view, columns: view.axes.map((axis) => view.keypoints.map((k) => k * axes + axis)), middle: [0, 0], lines, dots,
      draw(pose, scale) {
        const place = (k) => {
          const [u, v] = view.axes.map((axis, n) => scale * (pose[k * axes + axis] - this.middle[n]));
          return [wide * (at + 0.5) + u, (tall - 8) / 2 + (view.flip ? v : -v)];
        };
        for (const [keypoints, line] of lines) line.setAttribute("points", keypoints.map((k) => place(k).map((n) => n.toFixed(1)).join(",")).join(" "));
        for (const [k, dot] of dots) { const [x, y] = place(k); dot.setAttribute("cx", x.toFixed(1)); dot.setAttribute("cy", y.toFixed(1)); }
      } };
  });
}

// One scale for all views, chosen so that the trial in focus fills them.
let scaledTrial = -1, figureScale = 1;
function scaleFigure(trial) {
  if (trial === scaledTrial) return;
  scaledTrial = trial;
  const { low, high } = about.moments, columns = low.length, first = data.poseFirst[trial], last = data.poseFirst[trial + 1];
  const least = new Uint8Array(columns).fill(255), most = new Uint8Array(columns);
  for (let i = first; i < last; i++) for (let c = 0; c < columns; c++) {
    const value = data.pose[i * columns + c];
    if (value < least[c]) least[c] = value;
    if (value > most[c]) most[c] = value;
  }
  const real = (bytes, c) => low[c] + (bytes[c] / 255) * (high[c] - low[c]);
  const room = [300 / figureViews.length - 18, 150 - (figureViews.length > 1 ? 34 : 20)];
  const scales = figureViews.flatMap((view) => view.columns.map((own, n) => {
    const [from, to] = [min(own.map((c) => real(least, c))), max(own.map((c) => real(most, c)))];
    view.middle[n] = (from + to) / 2;
    return room[n] / (to - from || 1);
  }));
  figureScale = Math.min(...scales);
}

let drawnIndex = -1;
function drawFigure(share) {
  const index = state.focus, trial = data.trial[index], { kind, columns } = about.moments;
  const time = data.time[index] + (share - 0.5) * about.windowSeconds;
  const { start, end } = about.trials[trial], now = (STRIP.wide * (time - start)) / Math.max(1e-9, end - start);
  $("now").setAttribute("x1", now); $("now").setAttribute("x2", now);
  if (kind === "skeleton") {
    const pose = behaviorAt(trial, time);
    scaleFigure(trial);
    for (const view of figureViews) view.draw(pose, figureScale);
    if (index !== drawnIndex) $("figure").setAttribute("aria-label", `${about.moments.parts[0]?.name === "midline" ? "Midline" : "Stick figure"} of ${columns.length} keypoints at ${seconds(data.time[index])}, ${className(data.label[index])}`);
  } else if (kind === "features") drawFeatures(index, trial, share);
  drawnIndex = index;
}

function drawFeatures(index, trial, share) {
  const svg = $("figure"), { columns, short, low, high } = about.moments, left = 78, right = 292;
  const lane = 138 / columns.length, from = data.time[index] - about.windowSeconds / 2;
  if (index !== drawnIndex) {
    svg.replaceChildren();
    const samples = Array.from({ length: 41 }, (_, i) => behaviorAt(trial, from + (i / 40) * about.windowSeconds));
    columns.forEach((name, c) => {
      const y = (value) => 6 + lane * (c + 0.92) - 0.84 * lane * ((value - low[c]) / (high[c] - low[c] || 1));
      element("text", { x: left - 6, y: 6 + lane * (c + 0.5) + 3, "text-anchor": "end" }, svg, short[c])
        .append(element("title", {}, null, name));
      element("polyline", { points: samples.map((s, i) => `${(left + (i / 40) * (right - left)).toFixed(1)},${y(s[c]).toFixed(1)}`).join(" "),
        fill: "none", stroke: PALETTE[c % PALETTE.length], "stroke-width": 1.8, "data-feature": name }, svg);
    });
    element("line", { id: "cursor", y1: 4, y2: 146, stroke: "#1d2330", "stroke-width": 1 }, svg);
    svg.setAttribute("aria-label", `Lines of ${columns.join(", ")} over ${seconds(about.windowSeconds)} around ${seconds(data.time[index])}`);
  }
  const x = left + share * (right - left);
  $("cursor").setAttribute("x1", x); $("cursor").setAttribute("x2", x);
}

function tick(now) {
  if (state.playing && about.moments.kind !== "none") drawFigure(((now - state.began) / 1000 / about.windowSeconds) % 1);
  requestAnimationFrame(tick);
}

function play(on) {
  state.playing = on;
  state.began = performance.now();
  $("play").textContent = on ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", String(on));
  if (!on) drawFigure(0.5);
}

// --- keys and pointers ------------------------------------------------------------------------------------------

function focus(index) {
  state.focus = Math.min(Math.max(index, 0), data.label.length - 1);
  showFocus();
}

function step(by) {
  const trial = data.trial[state.focus];
  focus(Math.min(Math.max(state.focus + by, trialFirst(trial)), trialLast(trial)));
}

function stepTrial(by) {
  const trial = data.trial[state.focus];
  const next = by > 0 ? trialLast(trial) + 1 : trialFirst(data.trial[Math.max(0, trialFirst(trial) - 1)]);
  if (next < data.label.length) focus(next);
}

function near() {
  select(grid.nearest(xs[state.focus], ys[state.focus], Math.min(100, data.label.length)));
}

const KEYS = {
  ArrowLeft: (event) => step(event.shiftKey ? -10 : -1),
  ArrowRight: (event) => step(event.shiftKey ? 10 : 1),
  ArrowUp: () => stepTrial(-1),
  ArrowDown: () => stepTrial(1),
  " ": () => play(!state.playing),
  Escape: () => select([]),
  n: near,
  a: () => select(where((index) => data.label[index] === data.label[state.focus])),
  i: () => select(where((index) => animalOf(index) === animalOf(state.focus))),
  t: () => select(where((index) => data.trial[index] === data.trial[state.focus])),
};

function onKey(event) {
  const own = event.target.closest?.("select, input, textarea"), pressed = event.target.closest?.("button, a") && event.key === " ";
  if (own || pressed || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key](event);
}

// The window within 10 pixels of the pointer, and where it is drawn; null without one.
function under(view, { sx, sy, x, y }) {
  const [index] = grid.nearest(x, y, 1, 2);
  if (index === undefined) return null;
  const at = [view.frame.x_scale.compute(xs[index]), view.frame.y_scale.compute(ys[index])];
  return Math.hypot(at[0] - sx, at[1] - sy) > 10 ? null : [index, ...at];
}

function onHover(view, event) {
  const found = under(view, event);
  $("hover").hidden = !found;
  if (!found) return;
  const [index, sx, sy] = found, trial = about.trials[data.trial[index]];
  const box = $("maps").getBoundingClientRect(), at = view.el.getBoundingClientRect();
  $("hover").textContent = `${className(data.label[index])} · ${about.animals[trial.animal].name} · ${trial.name} · ${seconds(data.time[index])}`;
  const half = $("hover").offsetWidth / 2;
  $("hover").style.left = `${Math.min(Math.max(at.left - box.left + sx, half), box.width - half)}px`;
  $("hover").style.top = `${at.top - box.top + sy}px`;
}

function chooseLayouts() {
  const names = about.rows[state.row].layouts;
  $("layout").replaceChildren(...names.map((name) => new Option(name, name)));
  state.layout = names.includes(state.layout) ? state.layout : names[0];
  $("layout").value = state.layout;
}

function listen() {
  $("row").replaceChildren(...about.rows.map((row, at) => new Option(row.label, at)));
  $("row-choice").hidden = about.rows.length < 2;
  $("row").onchange = () => { state.row = Number($("row").value); chooseLayouts(); showMaps(); };
  $("layout").onchange = () => { state.layout = $("layout").value; showMaps(); };
  for (const radio of document.querySelectorAll("input[name=tool]")) {
    radio.onchange = () => { for (const key of ["label", "animal"]) models.tools[`${key}_${radio.value}`].active = true; };
  }
  $("fit").onclick = fit;
  $("before").onclick = () => step(-1);
  $("after").onclick = () => step(1);
  $("play").onclick = () => play(!state.playing);
  $("near").onclick = near;
  $("clear").onclick = () => select([]);
  $("scrub").oninput = () => focus(trialFirst(data.trial[state.focus]) + Number($("scrub").value));
  $("strip").onclick = (event) => {
    const box = $("strip").getBoundingClientRect(), trial = data.trial[state.focus], { start, end } = about.trials[trial];
    const time = start + ((event.clientX - box.left) / box.width) * (end - start);
    let best = trialFirst(trial);
    for (let index = best; index <= trialLast(trial); index++) if (Math.abs(data.time[index] - time) < Math.abs(data.time[best] - time)) best = index;
    focus(best);
  };
  document.addEventListener("keydown", onKey);
  for (const name of ["keydown", "keyup"]) document.addEventListener(name, (event) => { state.shift = event.shiftKey; });
  for (const { view, figure } of models.maps) {
    figure.on_event("mousemove", (event) => onHover(view, event));
    figure.on_event("mouseleave", () => { $("hover").hidden = true; });
    figure.on_event("tap", (event) => { const found = under(view, event); if (found) focus(found[0]); });
    figure.on_event("selectiongeometry", brushed);
  }
  for (const range of [models.across, models.up]) range.change.connect(repaint);
  new ResizeObserver(repaint).observe($("plot"));
}

function shuffled(count) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1, seed = 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const j = seed % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

async function start() {
  const packed = read("arrays"), names = Object.keys(packed);
  const unpacked = await Promise.all(names.map((name) => unpack(packed[name])));
  data = Object.fromEntries(names.map((name, at) => [name, unpacked[at]]));
  document.getElementById("arrays").remove();
  data.animal = Uint16Array.from(data.trial, (trial) => about.trials[trial].animal);
  const shown = await Bokeh.embed.embed_item(read("item"), $("plot"));
  const page = Bokeh.documents.at(-1), model = (name) => page.get_model_by_name(name), [root] = [...shown.roots];
  models = Object.fromEntries(["here", "path", "across", "up", "label_names", "animal_names"].map((name) => [name, model(name)]));
  models.tools = Object.fromEntries(["label", "animal"].flatMap((key) => model(key).toolbar.tools.map((tool) => [tool.name, tool])));
  models.maps = [["label", data.label, about.classes], ["animal", data.animal, about.animals]].map(([key, group, names]) => {
    const figure = model(key), canvas = document.createElement("canvas");
    $("plot").prepend(canvas);
    return { figure, canvas, group, colors: names.map(({ color }) => rgb(color)), view: root.child_views.find((view) => view.model === figure) };
  });
  paint.order = shuffled(data.label.length);
  state.playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  chooseLayouts();
  chips("classes", about.classes, (index) => data.label[index]);
  chips("animals", about.animals, animalOf);
  prepareFigure();
  listen();
  showMaps();
  showSelection();
  play(state.playing);
  requestAnimationFrame(tick);
  document.documentElement.dataset.ready = "true";
}

start().catch((error) => {
  $("failure").hidden = false;
  $("failure").textContent = `This page could not be shown: ${error.message}. It needs a browser of 2023 or later.`;
  throw error;
});
