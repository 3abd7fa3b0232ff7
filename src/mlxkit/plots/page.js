"use strict";
(() => {
  const page = JSON.parse(document.getElementById("plots").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  // The inverse of rows.columns().
  function rows(packed) {
    const found = Array.from({ length: packed.length }, () => ({}));
    for (const [name, column] of Object.entries(packed.columns)) {
      const missing = new Set(column.missing || []);
      let at = 0;
      const set = (value) => {
        if (!missing.has(at)) {
          Object.defineProperty(found[at], name, { value, writable: true, enumerable: true, configurable: true });
        }
        at += 1;
      };
      if (column.values) column.values.forEach(set);
      else for (const [value, times] of column.runs) for (let i = 0; i < times; i += 1) set(value);
    }
    return found;
  }

  function put(chart, path, value) {
    let at = chart;
    for (const key of path.slice(0, -1)) at = at[key];
    at[path[path.length - 1]] = value;
  }

  // Revisions keep their colours on either paper.
  function colour(part, colours) {
    if (Array.isArray(part)) part.forEach((one) => colour(one, colours));
    else if (part && typeof part === "object") {
      if (part.field === "rev" && part.scale && part.scale.range && part.scale.domain) {
        part.scale.range = part.scale.domain.map((name) => colours[name]);
      }
      Object.values(part).forEach((one) => colour(one, colours));
    }
  }

  async function draw(number) {
    const place = document.getElementById(`chart-${number}`);
    const mode = dark.matches ? "dark" : "light";
    const chart = structuredClone(page.charts[number].document);
    colour(chart, page.colours[mode]);
    for (const path of page.charts[number].places) put(chart, path, rows(page.charts[number].rows));
    try {
      await window.vegaEmbed(place, chart, {
        mode: "vega-lite",
        config: page.config[mode],
        actions: { export: true, source: false, compiled: false, editor: false },
        theme: undefined,
        tooltip: { theme: mode },
      });
    } catch (error) {
      place.textContent = `cannot be drawn: ${error.message}`;
    }
    place.classList.add("shown");
  }

  // What comes into view is drawn at once, the rest one by one while nothing else is to do.
  const seen = new Set();
  async function show(place) {
    const number = Number(place.id.slice("chart-".length));
    if (seen.has(number)) return;
    seen.add(number);
    await draw(number);
  }
  const places = document.querySelectorAll(".chart");
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) show(entry.target);
  });
  places.forEach((place) => watcher.observe(place));
  (async () => {
    for (const place of places) {
      await show(place);
      await new Promise((resume) => { setTimeout(resume); });
    }
  })();
  dark.addEventListener("change", () => seen.forEach(draw));
})();
