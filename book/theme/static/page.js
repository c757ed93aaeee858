// The whole script of a page. It runs before the first paint, so that the theme is right at once; what needs
// the page's content waits for it. Without it every page still reads, follows the system's theme and prints.
const root = document.documentElement;
const one = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
root.classList.add("js");
const MODES = ["auto", "light", "dark"];

const stored = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
const setMode = (mode) => {
  if (mode === "auto") root.removeAttribute("data-theme"); else root.dataset.theme = mode;
  try { localStorage.setItem("theme", mode); } catch { /* a private window keeps nothing */ }
};
let mode = MODES.includes(stored()) ? stored() : "auto";
if (mode !== "auto") root.dataset.theme = mode;

// The page shows itself when the fonts of its first screen are there, so that no line moves. They come beside
// the page and rarely after it; who would wait for more than a second gets local fonts, and ours on the next page.
// Who asked for a place in the page sees that place first.
root.classList.add("waits");
const fonts = ['1em "Ideas Serif"', '1em "Ideas Sans"'];
if (root.classList.contains("italics")) fonts.push('italic 1em "Ideas Serif"');
if (root.classList.contains("formulas")) fonts.push('1em "Ideas Math"');
const loaded = Promise.all(fonts.map((font) => document.fonts?.load(font))).catch(() => {});
// Who comes back finds the fonts that they left, since with others their place would be elsewhere.
const back = ["back_forward", "reload"].includes(performance.getEntriesByType("navigation")[0]?.type);
const left = back ? history.state?.fonts : "";
const late = left === "local" ? "late" : new Promise((done) => { setTimeout(done, left === "ours" ? 5000 : 1000, "late"); });
const ready = Promise.race([late, loaded]).then((came) => { if (came === "late") root.classList.add("local"); });
let arrive = () => {}, settle = () => {};
const arrived = location.hash ? new Promise((done) => { arrive = done; }) : null;
Promise.all([ready, arrived]).then(() => { root.classList.remove("waits"); settle(); });

// what is wider than its box scrolls, and must then do so by keyboard too
const scrollable = () => {
  for (const box of document.querySelectorAll("pre, .display, .long, .assumptions, .lhs, .rhs")) {
    if (box.closest("details:not([open])")) continue;  // without a size; measured when it opens
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; else box.removeAttribute("tabindex");
  }
};
addEventListener("resize", scrollable);  // a telephone was turned, a window made narrow

// a formula that is selected, if only in part, is copied as the LaTeX that it was written in
document.addEventListener("copy", (event) => {
  const selection = getSelection();
  if (!selection.rangeCount) return;
  const range = selection.getRangeAt(0).cloneRange();
  const formula = (node) => (node.closest ? node : node.parentElement).closest("math");
  const first = formula(range.startContainer), last = formula(range.endContainer);
  if (first) range.setStartBefore(first);
  if (last) range.setEndAfter(last);
  const copied = document.createElement("div");
  copied.className = "hidden";
  copied.append(range.cloneContents());
  if (!copied.querySelector("math")) return;
  event.clipboardData.setData("text/html", copied.innerHTML);
  for (const math of copied.querySelectorAll("math")) {
    const fence = math.getAttribute("display") === "block" ? "$$" : "$";
    math.replaceWith(fence + math.querySelector("annotation").textContent + fence);
  }
  document.body.append(copied);  // only what is in the page has its lines
  event.clipboardData.setData("text/plain", copied.innerText);
  copied.remove();
  event.preventDefault();
});

// What follows needs the page's content. One feature that fails, in this browser or at this address, stops no other.
const features = [themes, keys, places, contents, wide, copies, filters];
document.addEventListener("DOMContentLoaded", () => {
  for (const feature of features) try { feature(); } catch (error) { console.error(error); }
  arrive();
});

function themes() {
  const button = one("button.theme");
  const names = { auto: "follows the system", light: "light", dark: "dark" };
  const name = () => { button.querySelector("span").textContent = `Theme: ${names[mode]}`; };
  button.hidden = false;
  name();
  button.addEventListener("click", () => {
    mode = MODES[(MODES.indexOf(mode) + 1) % MODES.length];
    setMode(mode);
    name();
  });
}

function keys() {
  const menu = one("details.menu");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) { menu.open = false; menu.querySelector("summary").focus(); }
    const wanted = event.target.closest("input, textarea, select, [contenteditable], .explorable, .lab");
    if (event.key === "/" && !wanted && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const field = one("main input[type=search]");
      if (field) field.focus(); else location.href = one("a.tool").href;
    }
  });
  document.addEventListener("click", (event) => { if (menu.open && !menu.contains(event.target)) menu.open = false; });
}

// A link to a place opens the folds that hold it.
function places() {
  const folds = all("main details");
  const named = (hash) => {
    let id = hash.slice(1);
    try { id = decodeURIComponent(id); } catch { /* a per cent sign that encodes nothing */ }
    return document.getElementById(id);
  };
  const unfold = (target) => {
    const closed = folds.filter((fold) => !fold.open && (fold.contains(target) || fold.matches(".ledger") && fold.parentElement === target));
    for (const fold of closed) fold.open = true;
    return closed.length > 0;
  };
  document.addEventListener("click", (event) => {  // before the browser goes there
    const link = event.target.closest("a[href*='#']");
    if (link?.pathname === location.pathname) unfold(named(link.hash));
  });
  addEventListener("hashchange", () => {  // typed by hand; who goes back finds the folds open, and where they were
    const target = named(location.hash);
    if (target && unfold(target)) target.scrollIntoView();
  });

  // who comes back finds open what they had opened, else the browser could not find their place
  for (const place of history.state?.open ?? []) if (folds[place]) folds[place].open = true;
  let waiting = 0;
  const remember = () => {
    const open = folds.flatMap((fold, place) => (fold.open ? [place] : []));
    const fonts = root.classList.contains("local") ? "local" : "ours";
    try { history.replaceState({ ...history.state, open, fonts }, ""); } catch { /* a page from the disk may not */ }
  };
  ready.then(remember);
  document.addEventListener("toggle", () => { clearTimeout(waiting); waiting = setTimeout(remember, 50); }, true);

  // Who comes by a link is brought to its place, and again when what comes late has moved it, until they move.
  const target = location.hash.length > 1 && named(location.hash);
  if (target) unfold(target);
  if (target && !back) {
    settle = () => target.scrollIntoView();
    const watcher = new ResizeObserver(settle);
    watcher.observe(document.body);
    const leave = () => { watcher.disconnect(); settle = () => {}; };
    for (const move of ["wheel", "touchstart", "pointerdown", "keydown"]) addEventListener(move, leave, { once: true, passive: true });
    const whole = new Promise((done) => { addEventListener("load", done); });
    Promise.all([whole, document.fonts?.ready]).then(() => setTimeout(leave, 500));
    settle();
  }
}

// where the reader is, in the contents column
function contents() {
  const links = new Map(all(".contents a").map((a) => [a.getAttribute("href").slice(1), a]));
  if (links.size) {
    const list = one(".contents > ul");  // of a long page it scrolls by itself
    const heads = all("main [id]").filter((head) => links.has(head.id));
    const mark = () => {
      const here = heads.filter((head) => head.getBoundingClientRect().top < innerHeight / 3).pop();
      for (const [id, a] of links) {
        if (!here || id !== here.id) { a.removeAttribute("aria-current"); continue; }
        if (!a.hasAttribute("aria-current")) list.scrollTop = a.offsetTop - list.clientHeight / 2;
        a.setAttribute("aria-current", "true");
      }
    };
    addEventListener("scroll", mark, { passive: true });
    mark();
  }
}

function wide() {
  scrollable();
  document.addEventListener("toggle", scrollable, true);  // a fold that opens shows boxes that had no width
  document.fonts?.ready.then(scrollable);  // what came late may be wider
}

function copies() {
  const copied = async (pre) => {
    try { await navigator.clipboard.writeText(pre.textContent); return true; } catch { /* refused, or not by https */ }
    getSelection().selectAllChildren(pre);
    return document.execCommand("copy");
  };
  for (const code of all("div.highlight")) {
    if (code.closest(".cell_output")) continue;
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = "Copy";
    copy.addEventListener("click", async () => {
      copy.textContent = await copied(code.querySelector("pre")) ? "Copied" : "Selected";
      setTimeout(() => { copy.textContent = "Copy"; }, 1500);
    });
    code.append(copy);
  }
}

function filters() {
  const filter = one("input[data-filter]");
  if (!filter) return;
  const rows = all(`#${filter.dataset.filter} tbody tr`);
  const count = one("#filter-count");
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = shown ? `${shown} of ${rows.length}` : "No claim contains this.";
  };
  filter.addEventListener("input", apply);
  apply();
}
