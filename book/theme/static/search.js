// Sphinx's search finds the words; here its results are ranked, and shown with a line of context. A document of its
// index is a section, a claim, a term, a source or a function: number i of TEXTS has its page, id, titles and text.
const SHOWN = 20, CONTEXT = 170;
const GREEK = Object.fromEntries("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi psi omega"
  .split(" ").map((name, i) => [name, String.fromCharCode(0x3b1 + i + (i > 16))]));
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const bare = (text) => plain(text).replace(/[^\p{L}\p{N}]/gu, "");

// all sections, best first, for what was typed
function ranked(query) {
  const { terms, titleterms } = Search._index, stemmer = new Stemmer();
  const asked = plain(query).trim(), whole = bare(query);
  const lists = (found) => (found === undefined ? [] : [found].flat());
  const words = splitQuery(asked.replaceAll("_", " ")).filter((word) => !stopwords.includes(word));
  const each = words.map((word) => {
    const forms = [word, stemmer.stemWord(word), GREEK[word], ...Object.keys(GREEK).filter((name) => GREEK[name] === word)];
    const collect = (index) => new Set(forms.filter(Boolean).flatMap((form) => lists(Object.hasOwn(index, form) ? index[form] : undefined)));
    let inTitle = collect(titleterms), inText = collect(terms);
    if (!inTitle.size && !inText.size && word.length > 2) {  // a word half typed
      const begin = (index) => new Set(Object.keys(index).filter((term) => term.startsWith(word)).flatMap((term) => lists(index[term])));
      [inTitle, inText] = [begin(titleterms), begin(terms)];
    }
    const all = new Set([...inTitle, ...inText]);
    return { word, forms, inTitle, all, rare: Math.log(1 + TEXTS.length / (1 + all.size)) };
  });
  const scores = new Map();
  TEXTS.forEach(([, , title, , text], i) => {
    const held = each.filter((one) => one.all.has(i));
    const low = plain(text), head = plain(title);
    const named = whole && (bare(title) === whole || bare(title.split(".").pop()) === whole);
    const begun = whole && bare(title).startsWith(whole);
    const symbol = asked && !whole && text.includes(query.trim());
    if (!held.length && !named && !begun && !symbol) return;
    let score = named ? 30 : begun ? 4 : symbol ? 1 : 0;
    for (const { forms, inTitle, rare } of held) {
      const times = forms.filter(Boolean).reduce((sum, form) => sum + low.split(form).length - 1, 0);
      score += rare * ((inTitle.has(i) ? 3 : 0) + times / (times + 1.5) + (times ? 0.3 : 0));
    }
    if (asked && words.length > 1) score += (head.includes(asked) ? 6 : 0) + (low.includes(asked) ? 4 : 0);
    scores.set(i, [named || begun ? words.length : held.length, score]);
  });
  const most = Math.max(0, ...[...scores.values()].map(([count]) => count));
  return [...scores].filter(([, [count, score]]) => count === most || score >= 30)
    .sort(([, [, a]], [, [, b]]) => b - a).map(([i]) => ({ i, words: each, partly: most < words.length }));
}

// the line around the first place of the rarest word
function context(text, query, words) {
  const low = Array.from(text, (sign) => (sign.length > 1 ? sign : plain(sign)[0] ?? sign)).join("");  // as long as the text
  const wanted = [plain(query).trim(), ...[...words].sort((a, b) => b.rare - a.rare).flatMap((one) => one.forms)].filter(Boolean);
  const found = wanted.find((word) => low.includes(word));
  const at = found ? low.indexOf(found) : 0;
  let from = Math.max(0, at - CONTEXT / 2), to = Math.min(text.length, from + CONTEXT);
  if (from > 0) from = text.indexOf(" ", from) + 1;
  if (to < text.length) to = Math.max(text.lastIndexOf(" ", to), at + (found ?? "").length);
  const line = document.createElement("p");
  line.append(from > 0 ? "… " : "", text.slice(from, found ? at : to));
  if (found) {
    const mark = document.createElement("mark");
    mark.textContent = text.slice(at, at + found.length);
    line.append(mark, text.slice(at + found.length, to));
  }
  line.append(to < text.length ? " …" : "");
  return line;
}

function show(query) {
  const list = document.getElementById("search-results"), count = document.getElementById("search-count");
  const results = query.trim() ? ranked(query) : [];
  const places = results.length === 1 ? "One place" : `${results.length > SHOWN ? `The first ${SHOWN} of ` : ""}${results.length} places`;
  count.textContent = !query.trim() ? "" : !results.length ? "Nothing found." : results[0].partly ? `No place has all of these words. ${places} with some:` : places;
  list.replaceChildren(...results.slice(0, SHOWN).map(({ i, words }) => {
    const [page, id, title, name, text] = TEXTS[i], item = document.createElement("li"), link = document.createElement("a");
    link.href = `${page}.html#${encodeURIComponent(id)}`;
    link.textContent = title;
    item.append(link);
    if (name !== title) item.append(Object.assign(document.createElement("span"), { textContent: name }));
    if (text) item.append(context(text, query, words));
    return item;
  }));
}

Search.performSearch = () => {};  // what Sphinx would show
document.addEventListener("DOMContentLoaded", () => {
  const field = document.querySelector("main input[name=q]");
  field.form.addEventListener("submit", (event) => event.preventDefault());
  field.addEventListener("input", () => {
    const address = new URL(location.href);
    address.searchParams.set("q", field.value);
    try { history.replaceState(history.state, "", address); } catch { /* a page from the disk may not */ }
    show(field.value);
  });
  field.value = new URLSearchParams(location.search).get("q") ?? "";
  field.focus();
  show(field.value);
});
