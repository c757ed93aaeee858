// Runs the notebook's anywidgets on a static page: no kernel, no other host. myst-nb wrote the state of every widget
// into the page, and a place for each view; here each gets a model that keeps its state, and its own module draws it.
// Modules that several pages share were taken out of their states, and register their text under their name in `afm`.
globalThis.afm ??= {};

// A deferred script: the page is parsed.
(async () => {
  const state = document.querySelector('script[type="application/vnd.jupyter.widget-state+json"]');
  if (!state) return;
  const models = JSON.parse(state.textContent).state;
  const modules = new Map(), live = new Map();

  const bytes = (base64) => new DataView(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer);

  const load = (text) => {  // one module for each text, from the page itself: a file may not be imported from the disk
    if (!modules.has(text)) {
      const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
      modules.set(text, import(url).then((module) => module.default));
    }
    return modules.get(text);
  };

  const model = (id) => {  // two views of one widget share its model, and so stay in step
    if (live.has(id)) return live.get(id);
    const values = { ...models[id].state };
    for (const { path, data } of models[id].buffers ?? []) values[path[0]] = bytes(data);
    const events = new EventTarget(), calls = new Map();
    const made = {
      get: (key) => values[key],
      set: (key, value) => {
        values[key] = value;
        events.dispatchEvent(new Event(`change:${key}`));
        events.dispatchEvent(new Event("change"));
      },
      on: (name, call) => { calls.set(call, () => call()); events.addEventListener(name, calls.get(call)); },
      off: (name, call) => events.removeEventListener(name, calls.get(call)),
      save_changes: () => {},
      send: () => {},
    };
    live.set(id, made);
    return made;
  };

  for (const view of document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]')) {
    const id = JSON.parse(view.textContent).model_id;
    const known = models[id]?.state;
    if (!known) continue;
    try {
      const el = document.createElement("div");
      view.after(el);
      const module = await load(known._esm ?? globalThis.afm[known._anywidget_id]);
      const widget = typeof module === "function" ? await module() : module;
      if (!live.has(id)) await widget.initialize?.({ model: model(id) });
      await widget.render({ model: model(id), el });
      view.previousElementSibling?.remove();  // the picture that stood in its place
    } catch (error) {
      console.error(error);  // the picture stays
    }
  }
})();
