// The whole script of a page. It runs before the first paint, so that the theme is right at once; what needs
// the page's content waits for it. Without it every page still reads, follows the system's theme and prints.
const root = document.documentElement;
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
// the page and rarely after it; who waits for a second gets local fonts first.
root.classList.add("waits");
const show = () => root.classList.remove("waits");
Promise.all(["Ideas Serif", "Ideas Sans"].map((font) => document.fonts.load(`1em "${font}"`))).then(show, show);
setTimeout(show, 1000);

// what is wider than its box scrolls, and must then do so by keyboard too; formulas get their width late
const scrollable = () => {
  for (const box of document.querySelectorAll("pre, div.math, .assumptions, .lhs, .rhs")) {
    if (box.closest("details:not([open])")) continue;  // without a size; measured when it opens
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; else box.removeAttribute("tabindex");
  }
};
addEventListener("resize", scrollable);  // a telephone was turned, a window made narrow

window.MathJax = {
  startup: { pageReady: () => Promise.resolve(globalThis.afmDrawn).then(() => MathJax.startup.defaultPageReady()).then(scrollable) },
  tex: { inlineMath: [["\\(", "\\)"]] },
  options: { ignoreHtmlClass: "tex2jax_ignore", processHtmlClass: "math", enableMenu: false },
};

document.addEventListener("DOMContentLoaded", () => {
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];

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

  const menu = one("details.menu");
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
    if (event.key === "Escape" && menu.open) { menu.open = false; menu.querySelector("summary").focus(); }
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const field = one("main input[type=search]");
      if (field) field.focus(); else location.href = one("a.tool").href;
    }
  });
  document.addEventListener("click", (event) => { if (menu.open && !menu.contains(event.target)) menu.open = false; });

  // a link to a claim must open the folds that hold it
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const inside = target.querySelector(":scope > details.ledger");
    if (inside) inside.open = true;
    for (let up = target; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();

  // where the reader is, in the contents column
  const links = new Map(all(".contents a").map((a) => [a.getAttribute("href").slice(1), a]));
  if (links.size) {
    const heads = all("main section[id]").filter((section) => links.has(section.id));
    const mark = () => {
      const here = heads.filter((section) => section.getBoundingClientRect().top < innerHeight / 3).pop();
      for (const [id, a] of links) {
        if (here && id === here.id) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current");
      }
    };
    addEventListener("scroll", mark, { passive: true });
    mark();
  }

  scrollable();
  document.addEventListener("toggle", scrollable, true);  // a fold that opens shows boxes that had no width
  for (const code of all("div.highlight")) {
    const pre = code.querySelector("pre");
    if (!navigator.clipboard || code.closest(".cell_output")) continue;
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = "Copy";
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(pre.textContent);
      copy.textContent = "Copied";
      setTimeout(() => { copy.textContent = "Copy"; }, 1500);
    });
    code.append(copy);
  }

  const filter = one("input[data-filter]");
  if (filter) {
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

  if (document.title.startsWith("Search") && one("main input[name=q]")) {
    one("main input[name=q]").value = new URLSearchParams(location.search).get("q") ?? "";
    one("main input[name=q]").focus();
  }
});
