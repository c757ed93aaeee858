// One module draws every explorable, on the book's pages and in any notebook (an anywidget front-end module).
// Python computed all that can be shown; here it is looked up in a table and drawn. No formula is known here.

const make = (tag, attributes = {}, ...children) => {
  const [name, svg] = tag.startsWith("svg:") ? [tag.slice(4), true] : [tag, false];
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

// ---- the table ---------------------------------------------------------------------------------------------

// Numbers lie as byte planes, high bytes first. Most are 16 bit and were replaced, in Python, by differences along
// some axes, folded so that small negative ones are small too; sums along the same axes, in reverse, undo that.
const decode = (bytes, array) => {
  const { shape, at } = array, size = shape.reduce((a, b) => a * b, 1);
  if (array.code === "f32") {
    const raw = new DataView(new ArrayBuffer(4 * size));
    for (let plane = 0; plane < 4; plane++) for (let i = 0; i < size; i++) raw.setUint8(4 * i + plane, bytes[at + plane * size + i]);
    return Float64Array.from({ length: size }, (_, i) => raw.getFloat32(4 * i));
  }
  const codes = new Uint16Array(size);
  for (let i = 0; i < size; i++) codes[i] = (bytes[at + i] << 8) | bytes[at + size + i];
  if (array.code === "words") return Array.from(codes, (code) => array.words[code]);
  if (array.turns.length) for (let i = 0; i < size; i++) codes[i] = (codes[i] >> 1) ^ -(codes[i] & 1);
  for (const axis of [...array.turns].reverse()) {
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1), block = inner * shape[axis];
    for (let start = 0; start < size; start += block) {
      for (let i = start + inner; i < start + block; i++) codes[i] += codes[i - inner];
    }
  }
  const gap = array.gaps ? 1 : 0, values = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const value = gap && codes[i] === 0 ? NaN : array.low + array.step * (codes[i] - gap);
    values[i] = array.log ? Math.exp(value) : value;
  }
  return values;
};

const unpack = async (spec, packed) => {
  const stream = new Response(packed).body.pipeThrough(new DecompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  return Object.fromEntries(Object.entries(spec.arrays).map(([name, array]) => [name, decode(bytes, array)]));
};

// What `name` is at the setting `at`, one stop for each control: an array's entries, a number, or words.
const lookup = (spec, table, name, at) => {
  if (typeof name === "number") return name;
  const array = spec.arrays[name];
  if (!array) {
    const control = spec.controls.findIndex((c) => c.name === name), { values, reveals } = spec.controls[control];
    return (values ?? lookup(spec, table, reveals, at))[at[control]];
  }
  const row = array.over.reduce((sum, c, i) => sum * array.shape[i] + at[c], 0);
  const size = array.shape.slice(array.over.length).reduce((a, b) => a * b, 1);
  return array.shape.length === array.over.length ? table[name][row] : table[name].slice(row * size, (row + 1) * size);
};

// ---- words -------------------------------------------------------------------------------------------------

// A number in one of Python's formats, with a true minus sign.
// A half goes to the even digit, as in Python; JavaScript rounds it away from zero.
const halvesToEven = (write, places) => {
  const text = write(places), [exact, power] = write(Math.min(100, places + 40)).split("e"), more = Math.min(100, places + 40) - places;
  const head = exact.slice(0, -more).replace(/\.$/, ""), tail = exact.slice(-more);
  return /^50*$/.test(tail) && /[02468]$/.test(head) ? head + (power ? `e${power}` : "") : text;
};
const fixed = (value, places) => (Math.abs(value) < 1e21
  ? halvesToEven((p) => value.toFixed(p), places)
  : BigInt(value) + (places ? `.${"0".repeat(places)}` : ""));
const exponential = (value, places) => halvesToEven((p) => value.toExponential(p), places).replace("e+", "e");

// A number as Python's format_value writes it.
const written = (value, format) => {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return String(value);
  if (!Number.isFinite(value)) return "–";
  const [, plus, comma, digits, kind] = /^(\+?)(,?)(?:\.(\d+))?([defg%])$/.exec(format);
  const places = digits === undefined ? 6 : Number(digits);
  let text;
  if (kind === "d") text = fixed(value, 0);
  else if (kind === "f") text = fixed(value, places);
  else if (kind === "%") text = `${fixed(100 * value, places)}%`;
  else {
    const figures = Math.max(places, 1);
    text = exponential(value, kind === "e" ? places : figures - 1);
    if (kind === "g") {
      const size = Number(text.split("e")[1]);
      if (size >= -4 && size < figures) text = fixed(Number(text), figures - 1 - size);
      const [number, power] = text.split("e");
      text = (number.includes(".") ? number.replace(/\.?0+$/, "") : number) + (power ? `e${power}` : "");
    }
  }
  if (comma) text = text.replace(/^(-?\d+)/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));
  if (!/[1-9]/.test(text.replace(/e.*/, ""))) text = text.replace(/^-/, "");
  return (plus && !text.startsWith("-") ? "+" : "") + text.replaceAll("-", "−");
};

// A text with values for its places in braces; braces in formulas are none.
const fill = (text, value) => text.replace(/\$[^$]*\$|\{(\w+)(?::([^}]+))?\}/g, (all, name, format) => (name ? value(name, format || "g") : all));

// ---- marks -------------------------------------------------------------------------------------------------

const scale = ({ lo, hi, log }, from, to) => {
  const [a, b] = log ? [Math.log(lo), Math.log(hi)] : [lo, hi];
  return (value) => from + (((log ? Math.log(value) : value) - a) / (b - a)) * (to - from);
};
// Limits widened about their middle, so that one unit is as long on both axes.
const widened = ({ lo, hi }, share) => ({ lo: (lo + hi) / 2 - (share * (hi - lo)) / 2, hi: (lo + hi) / 2 + (share * (hi - lo)) / 2 });
const px = (value) => Math.round(value * 100) / 100;

// The places of a mark on the drawing, one list for each row: `y` may hold several rows over one `x`.
const places = (x, y, X, Y, count = x.length) => Array.from({ length: Math.floor(y.length / x.length) }, (_, row) =>
  Array.from({ length: count }, (_, i) => [px(X(x[i])), px(Y(y[row * x.length + i]))]));
const trace = (rows) => rows.map((row) => {
  let d = "", pen = false;
  for (const [a, b] of row) {
    const there = !Number.isNaN(a + b);
    if (there) d += `${pen ? "L" : "M"}${a} ${b}`;
    pen = there;
  }
  return d;
}).join("");
const outline = (upper, lower) => {
  const parts = [[]];  // a gap ends one outline and begins another
  upper.forEach(([, b], i) => { if (Number.isNaN(b + lower[i][1])) parts.push([]); else parts.at(-1).push(i); });
  return parts.filter((part) => part.length).map((part) => `${trace([[...part.map((i) => upper[i]), ...part.reverse().map((i) => lower[i])]])}Z`).join("");
};

// How each kind of mark is drawn: the shapes it consists of once, and their geometry for the present setting.
const KINDS = {
  lines: {
    shapes: (mark) => [...Array(mark.trail)].map(() => ["path", "trail"]).concat([["path", "line"]], mark.head ? [["path", "dots"]] : []),
    draw: (mark, { get, X, Y, count, earlier }) => {
      const at = (setting) => places(get(mark.x, setting), get(mark.y, setting), X, Y, count(mark.x));
      const rows = at();
      const trails = [...Array(mark.trail)].map((_, i) => earlier(mark.trail - i)).map((s) => (s ? at(s) : []));
      const ends = rows.map((row) => row.findLast(([a, b]) => !Number.isNaN(a + b))).filter(Boolean);
      return { shapes: [...trails.map((faint) => ({ d: trace(faint) })), { d: trace(rows) }, ...(mark.head ? [{ d: ends.map(([a, b]) => `M${a} ${b}h0`).join("") }] : [])], rows, faint: trails.flat() };
    },
  },
  points: {
    shapes: () => [["path", "dots"]],
    draw: (mark, { get, X, Y, count }) => {
      const rows = places(get(mark.x), get(mark.y), X, Y, count(mark.x));
      return { shapes: [{ d: rows.flat().filter(([a, b]) => !Number.isNaN(a + b)).map(([a, b]) => `M${a} ${b}h0`).join("") }], rows };
    },
  },
  area: {
    shapes: () => [["path", "fill"], ["path", "edge"]],
    draw: (mark, { get, X, Y, count, floor }) => {
      const x = get(mark.x), n = count(mark.x);
      const low = mark.low === null ? null : get(mark.low);
      const [upper] = places(x, get(mark.y), X, Y, n);
      const lower = low === null || typeof low === "number" ? upper.map(([a]) => [a, low === null ? floor : px(Y(low))]) : places(x, low, X, Y, n)[0];
      return { shapes: [{ d: outline(upper, lower) }, { d: trace([upper]) }], rows: [upper] };
    },
  },
  bars: {
    shapes: () => [["path", "fill solid"]],
    draw: (mark, { get, X, Y, floor }) => {
      const [row] = places(get(mark.x), get(mark.y), X, Y);
      const gap = Math.min(...row.slice(1).map(([a], i) => Math.abs(a - row[i][0])));
      const wide = px((Number.isFinite(gap) ? gap : 24) * 0.65);
      const bar = ([a, b]) => `M${px(a - wide / 2)} ${floor}V${b}h${wide}V${floor}z`;
      return { shapes: [{ d: row.filter(([, b]) => !Number.isNaN(b)).map(bar).join("") }], rows: [row] };
    },
  },
  heatmap: {
    shapes: (mark, { size }) => [...Array(size)].map(() => ["rect", "cell"]),
    draw: (mark, { get, X, Y }) => {
      const [x, y, z] = [get(mark.x), get(mark.y), get(mark.z)];
      const [wide, tall] = [Math.abs(X(x[1]) - X(x[0])), Math.abs(Y(y[1]) - Y(y[0]))];
      return {
        shapes: Array.from(z, (value, i) => ({
          x: px(X(x[i % x.length]) - wide / 2), y: px(Y(y[Math.floor(i / x.length)]) - tall / 2), width: px(wide), height: px(tall),
          "fill-opacity": Number.isNaN(value) ? 0 : Math.round((1e4 * Math.abs(value)) / mark.top) / 1e4,
          class: `cell ${value < 0 ? "below" : ""}`,
        })),
        rows: [],
      };
    },
  },
  hline: {
    shapes: () => [["path", "rule"]],
    draw: (mark, { get, Y, width }) => {
      const y = px(Y(get(mark.at)));
      return { shapes: [{ d: `M0 ${y}H${width}` }], rows: [[[0, y], [width, y]]] };
    },
  },
  vline: {
    shapes: () => [["path", "rule"]],
    draw: (mark, { get, X, height }) => {
      const x = px(X(get(mark.at)));
      return { shapes: [{ d: `M${x} 0V${height}` }], rows: [[[x, 0], [x, height]]] };
    },
  },
  extreme: {
    shapes: () => [["path", "dots"]],
    draw: (mark, { get, X, Y }) => {
      const [x, y] = [get(mark.x), get(mark.y)];
      const best = mark.lowest ? Math.min(...y) : Math.max(...y);
      const place = [px(X(x[y.indexOf(best)])), px(Y(best))];
      return { shapes: [{ d: `M${place[0]} ${place[1]}h0` }], rows: [[place]], words: `${mark.label} ${written(best, mark.format)}` };
    },
  },
  text: {
    shapes: () => [],
    draw: (mark, { get, X, Y }) => {
      const words = get(mark.words);
      return { shapes: [], rows: [[[px(X(get(mark.x))), px(Y(get(mark.y)))]]], words: typeof words === "string" ? words : written(words, mark.format) };
    },
  },
};

// ---- labels ------------------------------------------------------------------------------------------------

const overlap = (a, b) => Math.max(0, Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x)) * Math.max(0, Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y));

// Points four pixels apart on a curve, which a gap interrupts.
const inkOf = (row) => {
  const ink = [];
  let next = 0;
  row.forEach(([a, b], i) => {
    const [p, q] = row[i - 1] ?? [a, b], length = Math.hypot(a - p, b - q);
    if (Number.isNaN(length)) { next = 0; return; }
    for (; next <= length; next += 4) ink.push([p + ((a - p) * next) / (length || 1), q + ((b - q) * next) / (length || 1)]);
    next -= length;
  });
  return ink;
};
const dot = ([a, b]) => [[a, b], [a - 3, b], [a + 3, b], [a, b - 3], [a, b + 3]];

// The places round a point for a label of some size; those farther off cost more.
const around = ([a, b], w, h) => [[a + 8, b - h - 2], [a - w - 8, b - h - 2], [a + 8, b + 3], [a - w - 8, b + 3], [a - w / 2, b - h - 6], [a - w / 2, b + 6], [a - w / 2, b - h - 20, 8], [a - w / 2, b + 20, 8]];

// Where a label goes: never on another label or outside the drawing, off the curves where it can, near the place it
// wishes, and near where it was, so that it does not jump about while a control is dragged.
const settle = ({ w, h, last, wish }, spots, taken, inked, width, height) => {
  const allowed = (w * h) / 20 / 9;  // points of ink, of nine square pixels each, on a twentieth of the label
  let best = null;
  for (const [left, top, off = 0] of spots) {
    const x = Math.min(Math.max(left, 0), width - w), y = Math.min(Math.max(top, -6), height - h);
    const free = { x: x - 3, y: y - 1, w: w + 6, h: h + 2 }, right = free.x + free.w, bottom = free.y + free.h;
    let cost = off + 4 * Math.hypot(x - left, y - top) + taken.reduce((sum, other) => sum + 5000 * Math.sign(overlap(free, other)) + 10 * overlap(free, other), 0);
    if (wish !== undefined) cost += 0.6 * Math.abs(x + w / 2 - wish);
    if (last) cost += 0.25 * Math.hypot(x - last[0], y - last[1]);
    let covered = 0;
    for (let i = 0; i < inked.length && !(best && cost >= best.cost); i++) {  // most places have lost before the end
      const [p, q] = inked[i];
      if (p > free.x && p < right && q > free.y && q < bottom) cost += ++covered > allowed ? 60 : 12;
    }
    if (!best || cost < best.cost) best = { cost, x, y, w, h };
  }
  return best;
};

// ---- one panel ---------------------------------------------------------------------------------------------

const panel = (spec, index) => {
  const { title, marks, clip, equal } = spec.panels[index];
  const svg = make("svg:svg", { role: "slider", tabindex: 0, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": 0, "aria-valuetext": "no place read", "data-lm-suppress-shortcuts": "true" });
  const frame = make("div", { class: "panel" }, make("div", { class: "panel-title" }, title), svg);
  const [back, drawing, values, front] = ["back", "marks", "values", "front"].map((name) => make("svg:g", { class: name }));
  const window = clip ? make("svg:svg", {}, drawing) : drawing;  // an inner svg cuts off what leaves it
  svg.append(back, window, values, front);
  const bare = equal || marks.some((mark) => mark.kind === "heatmap");  // a map, which needs no grid
  const size = (mark) => spec.arrays[mark.z]?.shape.slice(-2).reduce((a, b) => a * b);
  const drawn = marks.map((mark) => {
    const shapes = KINDS[mark.kind].shapes(mark, { size: size(mark) })
      .map(([tag, name]) => make(`svg:${tag}`, { class: name }));
    const group = make("svg:g", { class: `mark ${mark.kind} c${mark.colour}${mark.dash ? " dash" : ""}${mark.thin ? " thin" : ""}` }, ...shapes);
    drawing.append(group);
    const label = mark.label || mark.kind === "text" ? make("svg:text", { class: `label c${mark.colour}` }) : null;
    if (label) front.append(label);
    return { mark, shapes, label, last: null };
  });
  const cross = make("svg:g", { class: "cross" });
  front.append(cross);
  const called = (mark) => mark.name || mark.label.replace(/\s*\{[^}]*\}\s*/g, " ").trim() || mark.y;
  const readable = drawn.filter(({ mark }) => ["lines", "points", "area", "bars"].includes(mark.kind) && mark.read);
  const names = readable.map(({ mark }) => called(mark)).join(", ");
  svg.setAttribute("aria-label", `${title || "Drawing"}${names ? `: ${names}` : ""}. The arrow keys read values.`);

  let { x, y } = spec.panels[index], scales = null, laid = "", pointed = null;

  const draw = (state, width, height) => {
    const { get, count, earlier } = state;
    ({ x, y } = spec.panels[index]);
    if (equal) {
      const across = (x.hi - x.lo) / (width - 4), down = (y.hi - y.lo) / height, unit = Math.max(across, down);
      x = { ...x, ...widened(x, unit / across) };
      y = { ...y, ...widened(y, unit / down) };
    }
    const [lo, hi] = y.free ? [get(y.free[0]), get(y.free[1])] : [y.lo, y.hi];
    const X = scale(x, 2, width - 2), Y = scale({ ...y, lo, hi }, height, 0);
    // where bars and areas stand, and the axis: at zero, or at the end that is nearest to it
    const floor = px(Y(y.log ? lo : Math.min(Math.max(0, Math.min(lo, hi)), Math.max(lo, hi))));
    const key = [width, height, lo, hi].join();
    if (key !== laid) {
      laid = key;
      svg.setAttribute("width", width);
      const tall = height + (x.ticks.length || x.label ? 28 : 4);
      svg.setAttribute("height", tall);
      svg.setAttribute("viewBox", `0 0 ${width} ${tall}`);  // on paper it is scaled
      Object.assign(svg.dataset, { x: [x.lo, x.hi, x.log, 2, width - 2], y: [lo, hi, y.log, height, 0] });
      if (clip) for (const [k, v] of [["y", -3], ["width", width], ["height", height + 6], ["viewBox", `0 -3 ${width} ${height + 6}`]]) window.setAttribute(k, v);
      const ticks = y.free ? rounded(lo, hi, y.log) : y.ticks;
      const level = (name, at) => make("svg:path", { class: name, d: `M0 ${px(at)}H${width}` });
      back.replaceChildren(
        ...(bare ? [] : [...ticks.map((t) => level("grid", Y(t))), level("axis", floor)]),
        // the axis' name stands in the middle, and a tick that it would cover is left out
        ...x.ticks.filter((t) => !x.label || Math.abs(X(t) - width / 2) > 3.3 * x.label.length + 14).map((t) => {
          const at = X(t), anchor = at < 20 ? "start" : at > width - 20 ? "end" : "middle";
          return make("svg:text", { class: "tick", x: px(anchor === "start" ? at - 2 : anchor === "end" ? at + 2 : at), y: height + 18, "text-anchor": anchor }, written(t, "g"));
        }),
        ...(x.label ? [make("svg:text", { class: "tick", x: width / 2, y: height + 18, "text-anchor": "middle" }, x.label)] : []),
      );
      values.replaceChildren(...ticks.map((t) => make("svg:text", { class: "tick", "data-level": px(Y(t)) }, written(t, "g"))));
    }
    for (const item of drawn) {
      const found = KINDS[item.mark.kind].draw(item.mark, {
        get, X, Y, width, height, floor, count, earlier: (steps) => earlier(item.mark.along, steps),
      });
      found.shapes.forEach((attributes, i) => {
        for (const [k, v] of Object.entries(attributes)) item.shapes[i].setAttribute(k, v);
      });
      Object.assign(item, { rows: found.rows, faint: found.faint ?? [], words: found.words, last: state.fresh ? null : item.last });
    }
    scales = { X, Y, width, height, floor };
    name(state);
    if (pointed !== null) point(state, pointed);
  };

  const name = (state) => {
    const { width, height, floor } = scales;
    const dotted = (length, place) => Array.from({ length: Math.ceil(length / 4) }, (_, i) => place(4 * i));
    const inked = [...(bare ? [] : dotted(width, (a) => [a, floor])), ...drawn.flatMap(({ mark, rows, faint }) =>
      mark.kind === "vline" ? dotted(height, (b) => [rows[0][0][0], b])
        : mark.kind === "hline" ? dotted(width, (a) => [a, rows[0][0][1]])
          : mark.kind === "extreme" || mark.kind === "points" ? rows.flat().flatMap(dot)
            : [...[...rows, ...faint].flatMap(inkOf), ...(mark.head ? rows.flatMap((row) => dot(row.findLast(([a, b]) => !Number.isNaN(a + b)) ?? [NaN, NaN])) : [])])];
    // a value on the y axis stands above its line at the left, or else where fewer curves cross it
    const taken = [...values.children].map((tick) => {
      const w = 8 * tick.textContent.length, level = Number(tick.dataset.level);
      const box = settle({ w, h: 13 }, [[0, level - 16], [0, level + 4, 2], [width - w, level - 16, 4], [width - w, level + 4, 6]], [], inked, width, height);
      const right = box.x > 0;
      for (const [key, value] of [["x", right ? width : 0], ["y", px(box.y + 13)], ["text-anchor", right ? "end" : "start"]]) tick.setAttribute(key, value);
      return box;
    });
    const order = ["text", "extreme", "vline", "hline", "lines", "points", "bars", "area"];
    const named = drawn.filter(({ label }) => label).sort((a, b) => order.indexOf(a.mark.kind) - order.indexOf(b.mark.kind));
    for (const item of named) {
      const words = item.words ?? fill(item.mark.label, (n, format) => written(state.get(n), format));
      if (item.label.textContent !== words) item.label.textContent = words;
      const spots = item.rows.flat().filter(([a, b]) => !Number.isNaN(a + b) && b > -20 && b < height + 20);
      item.label.toggleAttribute("hidden", !spots.length);
      if (!spots.length) continue;
      const w = state.measure(words), h = 20;
      const { kind, near } = item.mark;
      if (kind === "vline") {  // always on its right: what it says may be about that side
        const fits = spots[0][0] + 8 + w <= width;
        item.label.toggleAttribute("hidden", !fits);
        if (!fits) continue;
      }
      const anchors = ["lines", "area", "hline"].includes(kind) ? item.rows.flatMap(inkOf).filter(([, b]) => b > -20 && b < height + 20) : spots;
      const every = Math.max(1, Math.floor(anchors.length / 40));
      const places = kind === "text" ? [[spots[0][0] - w / 2, spots[0][1] - h / 2]]
        : kind === "vline" ? dotted(height - h, (top) => [spots[0][0] + 8, top])
          : anchors.filter((_, i) => i % every === 0).flatMap((anchor) => around(anchor, w, h));
      const box = settle({ w, h, last: item.last, wish: near === null ? undefined : scales.X(near) }, places, taken, inked, width, height);
      item.last = [box.x, box.y];
      taken.push(box);
      item.label.setAttribute("x", px(box.x));
      item.label.setAttribute("y", px(box.y + 14));
    }
  };

  // Values under the pointer, or where the arrow keys went: a line through the panel, a dot on each curve.
  const point = (state, fraction) => {
    pointed = fraction;
    cross.replaceChildren();
    const { X, Y, width, height } = scales;
    const parts = [];
    let at = null;
    for (const { mark } of fraction === null ? [] : readable) {
      const xs = state.get(mark.x), ys = state.get(mark.y);
      if (ys.length !== xs.length) continue;
      const best = nearest(state, mark, fraction);
      at ??= xs[best];
      if (Number.isNaN(ys[best])) continue;
      cross.append(make("svg:path", { class: `dots c${mark.colour}`, d: `M${px(X(xs[best]))} ${px(Y(ys[best]))}h0` }));
      const { step, log } = spec.arrays[mark.y];  // the table knows no smaller number than its step
      const value = step && !log && Math.abs(ys[best]) < step ? 0 : ys[best];
      parts.push(make("b", { class: `c${mark.colour}` }, `${called(mark)} ${written(value, mark.format)}`));
    }
    if (at === null) { svg.setAttribute("aria-valuetext", "no place read"); return state.read(""); }
    cross.prepend(make("svg:path", { class: "hair", d: `M${px(X(at))} 0V${height}` }));
    const words = make("span", {}, `at ${x.label || readable[0].mark.x} ${written(at, ".3g")}: `, ...parts.flatMap((p, i) => (i ? [", ", p] : [p])));
    svg.setAttribute("aria-valuenow", Math.round(100 * fraction));
    svg.setAttribute("aria-valuetext", words.textContent);
    state.read(words);
  };

  // The sample of a mark that lies nearest to a fraction of the width.
  const nearest = (state, mark, fraction) => {
    const xs = state.get(mark.x), n = state.count(mark.x) ?? xs.length, goal = fraction * scales.width;
    let best = 0;
    for (let i = 1; i < n; i++) if (Math.abs(scales.X(xs[i]) - goal) < Math.abs(scales.X(xs[best]) - goal)) best = i;
    return best;
  };

  const listen = (state) => {
    const follow = (event) => {
      const box = svg.getBoundingClientRect();
      point(state, (event.clientX - box.left) / box.width);
    };
    svg.addEventListener("pointermove", follow);
    svg.addEventListener("pointerdown", follow);  // a finger that only taps does not move
    svg.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") point(state, null); });
    svg.addEventListener("blur", () => point(state, null));
    svg.addEventListener("keydown", (event) => {
      if (event.key === "Escape") return point(state, null);
      if (!readable.length) return;
      const { mark } = readable[0], xs = state.get(mark.x), last = (state.count(mark.x) ?? xs.length) - 1;
      const many = event.shiftKey ? Math.max(2, Math.round(last / 10)) : Math.max(1, Math.round(last / 100));
      const from = pointed === null ? 0 : nearest(state, mark, pointed);
      const to = { ArrowLeft: from - many, ArrowRight: from + many, Home: 0, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      point(state, scales.X(xs[Math.min(Math.max(to, 0), last)]) / scales.width);
    });
  };
  return { frame, svg, draw, listen };
};

// At most three round numbers inside an interval: steps of 1, 2 or 5 times a power of ten, or such powers.
const rounded = (lo, hi, log) => {
  const powers = Array.from({ length: 80 }, (_, i) => Number(`1e${i - 40}`)).filter((t) => t > lo && t < hi);
  if (log && powers.length) return powers.filter((_, i) => i % Math.ceil(powers.length / 3) === 0);
  const span = Math.abs(hi - lo), power = 10 ** Math.floor(Math.log10(span));
  for (const step of [0.1, 0.2, 0.5, 1, 2, 5].map((s) => s * power)) {
    const first = Math.ceil((Math.min(lo, hi) + span * 0.04) / step), last = Math.floor((Math.max(lo, hi) - span * 0.04) / step);
    const found = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
    if (found.length && found.length <= 3) return found.filter((t) => t !== 0);
  }
  return [];
};

// ---- controls ----------------------------------------------------------------------------------------------

// A notebook loads this module once for each widget, so a count would name two controls alike.
const unique = () => `explorable-${Math.random().toString(36).slice(2)}`;

const range = (control, values, id) => {
  const input = make("input", { type: "range", id, min: 0, step: 1, "data-lm-suppress-shortcuts": "true" });
  const value = make("output", { for: id, "aria-live": "off" });  // the slider itself is read out
  const show = (stop, all) => {
    input.max = all.length - 1;
    input.value = stop;
    const text = `${written(all[stop], control.format)} ${control.unit}`.trim();
    value.textContent = text;
    input.setAttribute("aria-valuetext", text);
    const share = (v) => (100 * v) / (all.length - 1);
    const zero = control.signed ? share(all.indexOf(0)) : -100;  // else from the very end of the track
    input.style.setProperty("--from", Math.min(zero, share(stop)));
    input.style.setProperty("--to", Math.max(zero, share(stop)));
  };
  const head = make("span", { class: "head" }, make("label", { for: id }, control.label), value);
  return { input, show, parts: [head, input] };
};

const BUILD = {
  slider: (control, set) => {
    const { input, show, parts } = range(control, control.values, unique());
    input.addEventListener("input", () => set(Number(input.value)));
    return { element: make("div", { class: "control slider" }, ...parts), show: (stop) => show(stop, control.values) };
  },
  choice: (control, set) => {
    const group = unique();
    const inputs = control.values.map((_, i) => make("input", { type: "radio", name: group, value: i, "data-lm-suppress-shortcuts": "true" }));
    inputs.forEach((input, i) => input.addEventListener("change", () => set(i)));
    const options = control.values.map((words, i) => make("label", {}, inputs[i], make("span", { "data-words": words }, words)));
    const element = make("fieldset", { class: "control choice" }, make("legend", {}, control.label), make("div", { class: "options" }, ...options));
    return { element, show: (stop) => { inputs[stop].checked = true; } };
  },
  toggle: (control, set) => {
    const input = make("input", { type: "checkbox", "data-lm-suppress-shortcuts": "true" });
    input.addEventListener("change", () => set(Number(input.checked)));
    return { element: make("label", { class: "control toggle" }, input, make("span", {}, control.label)), show: (stop) => { input.checked = stop === 1; } };
  },
  play: (control, set, state) => {  // the numbers are not read out while it plays
    const values = () => control.values ?? Array.from(state.get(control.reveals));
    const { input, show, parts } = range(control, null, unique());
    const button = make("button", { type: "button", class: "play-button" });
    let timer = 0;
    const face = () => {
      button.setAttribute("aria-label", `${timer ? "Pause" : "Play"}: ${control.label}`);
      button.classList.toggle("playing", Boolean(timer));
    };
    const stop = () => { clearInterval(timer); timer = 0; state.quiet(false); face(); };
    const step = () => {
      if (!button.isConnected) return stop();
      const next = Number(input.value) + 1;
      set(next);
      if (next >= values().length - 1) stop();
    };
    button.addEventListener("click", () => {
      if (timer) return stop();
      if (Number(input.value) >= values().length - 1) set(0);
      state.quiet(true);
      timer = setInterval(step, matchMedia("(prefers-reduced-motion: reduce)").matches ? 500 : 90);
      face();
    });
    input.addEventListener("input", () => { stop(); set(Number(input.value)); });
    face();
    const element = make("div", { class: "control play" }, button, make("div", { class: "slider" }, ...parts));
    return { element, show: (at) => show(at, values()), stop };
  },
};

// ---- the address -------------------------------------------------------------------------------------------

// On a page of the book an explorable stands in an element with an id, and its setting in the query under that id:
// ?waves=14,seven%20modes#waves. In a notebook there is no such element, and the address is left alone.
const address = (key, controls) => {
  const parameters = () => location.search.slice(1).split("&").filter(Boolean);
  const name = `${encodeURIComponent(key)}=`;
  const spell = (control, stop) => encodeURIComponent(String(control.values ? control.values[stop] : stop));
  const mine = () => parameters().find((text) => text.startsWith(name));
  return {
    mine,
    read: () => {
      const words = mine()?.slice(name.length).replaceAll("+", "%20").split(",") ?? [];
      if (words.length !== controls.length) return null;
      const at = words.map((word, i) => (controls[i].values ? controls[i].values.findIndex((value, stop) => spell(controls[i], stop) === word || (typeof value === "number" && word && Number(word) === value)) : Number(word)));
      return at.every((stop, i) => Number.isInteger(stop) && stop >= 0 && stop < controls[i].count) ? at : null;
    },
    link: (at) => {
      const others = parameters().filter((text) => !text.startsWith(name));
      const own = at ? [name + at.map((stop, i) => spell(controls[i], stop)).join(",")] : [];
      const query = [...others, ...own].join("&");
      return `${location.pathname}${query && `?${query}`}${at ? `#${encodeURIComponent(key)}` : location.hash === `#${encodeURIComponent(key)}` ? "" : location.hash}`;
    },
  };
};

// ---- the whole ---------------------------------------------------------------------------------------------

export default {
  async render({ model, el }) {
    const spec = model.get("spec");
    const table = await unpack(spec, model.get("table"));
    const { controls } = spec;
    const place = el.closest("[data-explorable]");
    const url = place && address(place.id, controls);
    const start = controls.map((control) => control.start);
    const stops = (value) => controls.map((control, i) => {
      const stop = control.values ? control.values.indexOf(value?.[control.name]) : value?.[control.name];
      return Number.isInteger(stop) && stop >= 0 && stop < control.count ? stop : start[i];
    });
    let at = url?.read() ?? stops(model.get("value"));

    const widths = new Map();
    const ruler = make("svg:text", { class: "label", visibility: "hidden" });
    const reading = make("span", { class: "reading" });
    const state = {
      get: (name, setting = at) => lookup(spec, table, name, setting),
      // how many entries of arrays over `name` a control has revealed; undefined for all
      count: (name) => {
        const i = controls.findIndex((c) => c.reveals);
        if (i < 0 || typeof name !== "string" || !(name in spec.arrays)) return undefined;
        return spec.arrays[name].shape.at(-1) === controls[i].count ? at[i] + 1 : undefined;
      },
      // what a text or a readout says: of an array the last entry that is revealed
      last: (name) => { const found = state.get(name); return typeof found === "object" ? found[state.count(name) - 1] : found; },
      earlier: (control, steps) => (control === null || at[control] < steps ? null : at.map((stop, i) => (i === control ? stop - steps : stop))),
      measure: (words) => {
        if (!widths.has(words)) { ruler.textContent = words; widths.set(words, ruler.getComputedTextLength()); }
        return widths.get(words);
      },
      read: (content) => reading.replaceChildren(content),
      fresh: true,
    };

    const panels = spec.panels.map((_, i) => panel(spec, i));
    const readouts = spec.readouts.map((readout) => ({ readout, value: make("b") }));
    const numbers = make("span", { class: "numbers" }, ...readouts.map(({ readout, value }) =>
      make("span", {}, readout.label && `${readout.label} `, value, readout.unit && ` ${readout.unit}`)));
    const line = make("div", { class: "readouts" }, numbers, reading);
    const caption = place?.querySelector(".figure-caption");
    // the sentences were set when the page was built, formulas and all; numbers are written here
    const says = [...(caption?.querySelectorAll("[data-says]") ?? [])].map((element) => {
      const { says: name, format } = element.dataset;
      const sentences = place.querySelector(`template[data-sentences="${name}"]`)?.content.children;
      let now = null;
      return { say: () => {
        const value = state.last(name), words = typeof value === "string" && sentences ? value : written(value, format || "g");
        if (words === now) return;
        now = words;
        element.replaceChildren(...(sentences && spec.arrays[name] ? sentences[spec.arrays[name].words.indexOf(value)].cloneNode(true).childNodes : [words]));
      } };
    });
    state.quiet = (quiet) => [numbers, ...(says.length ? [caption] : [])].forEach((live) => live.setAttribute("aria-live", quiet ? "off" : "polite"));
    const built = controls.map((control, i) => BUILD[control.kind](control, (stop) => move(at.map((old, j) => (j === i ? stop : old))), state));
    const button = (words, action) => {
      const made = make("button", { type: "button" }, words);
      made.addEventListener("click", () => action(made));
      return made;
    };
    const reset = button("Reset", () => { built.forEach((b) => b.stop?.()); move(start, true); });
    const copy = button("Copy link", async (made) => {
      const link = new URL(url.link(at), location.href).href;
      let copied = true;
      try { await navigator.clipboard.writeText(link); } catch { copied = false; }
      remember(true);
      made.textContent = copied ? "Copied" : "In the address bar";
      setTimeout(() => { made.textContent = "Copy link"; }, 1500);
    });
    const described = make("p", { class: "unseen", id: unique() });
    const grid = make("div", { class: "panels", role: "group", "aria-label": "Figure", "aria-describedby": described.id }, ...panels.map((p) => p.frame));
    grid.style.setProperty("--columns", spec.panels.map((p) => `minmax(0, ${p.ratio}fr)`).join(" "));
    panels[0].svg.append(ruler);
    const below = [line, ...(spec.predict ? [make("p", { class: "predict" }, spec.predict)] : []), make("div", { class: "controls" }, ...built.map((b) => b.element))];
    const root = make("div", { class: "explorable-live" }, described, grid, ...below);
    root.style.setProperty("--width", `${spec.width}px`);
    // a page keeps their room, so that nothing moves when they come
    const actions = place?.querySelector(".actions") ?? root.appendChild(make("div", { class: "actions" }));
    actions.replaceChildren(reset, ...(url ? [copy] : []));
    el.replaceChildren(root);
    state.quiet(false);

    let narrow = false;
    const draw = (fresh) => {  // afresh: labels forget where they stood
      state.fresh = fresh;
      panels.forEach((p) => p.draw(state, p.frame.clientWidth, narrow ? spec.phone : spec.height));
      for (const { readout, value } of readouts) {
        value.textContent = written(state.last(readout.name), readout.format);
      }
      described.textContent = fill(spec.alt, (name, format) => written(state.last(name), format));
      for (const said of says) said.say();
      built.forEach((b, i) => b.show(at[i]));
      line.classList.toggle("empty", !readouts.length && !reading.textContent);
    };
    let waiting = 0;
    const remember = (now) => {
      clearTimeout(waiting);
      const write = () => { try { history.replaceState(history.state, "", url.link(String(at) === String(start) ? null : at)); } catch { /* a page from the disk has a fixed address */ } };
      if (url) { if (now) write(); else waiting = setTimeout(write, 400); }
    };
    const move = (to, fresh = false) => {
      at = to;
      draw(fresh);
      remember(false);
      model.set("value", Object.fromEntries(controls.map((c, i) => [c.name, c.values ? c.values[at[i]] : at[i]])));
      model.save_changes();
    };
    const follow = () => { const to = stops(model.get("value")); if (String(to) !== String(at)) { at = to; draw(true); } };
    if (url?.mine() && !url.read()) remember(true);  // a setting that there is not is not kept in the address
    const back = () => { at = url.read() ?? start; draw(true); };
    if (url) addEventListener("popstate", back);
    panels.forEach((p) => p.listen(state));
    model.on("change:value", follow);

    const layout = () => {
      const was = narrow;
      narrow = root.clientWidth < 600;
      root.classList.toggle("narrow", narrow);
      // one above the other, the first panel and the controls have to fit on a phone's screen
      if (narrow !== was) (narrow ? panels[0].frame : grid).after(...below);
      if (root.clientWidth) draw(true);
    };
    const watcher = new ResizeObserver(layout);
    layout();
    watcher.observe(root);
    document.fonts?.ready.then(() => { widths.clear(); layout(); });
    el.dataset.ready = "true";
    return () => { watcher.disconnect(); built.forEach((b) => b.stop?.()); clearTimeout(waiting); removeEventListener("popstate", back); model.off("change:value", follow); };
  },
};
