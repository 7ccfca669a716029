/* Runs before anything is drawn: the chosen theme, and a guard for BokehJS. Not a module, so that it is first. */
(() => {
  try {
    const own = localStorage.getItem("boardlake.theme");
    if (own === "light" || own === "dark") document.documentElement.dataset.theme = own;
  } catch {
    // Storage may be forbidden; then the system's theme holds.
  }
  // BokehJS 3.9 listens to the viewport's size for every figure and never stops, which keeps destroyed
  // figures alive (bokeh PR 15298). Listeners made while a figure is built are dropped with it.
  const viewport = window.visualViewport;
  if (!viewport) return;
  const add = viewport.addEventListener.bind(viewport);
  let recorder = null;
  viewport.addEventListener = (type, listener, options) => {
    recorder?.push([type, listener]);
    add(type, listener, options);
  };
  window.boardlakeRecordViewport = (list) => {
    recorder = list;
  };
})();
