"use strict";
(() => {
  const { nodes, edges } = JSON.parse(document.getElementById("data").textContent);
  const svg = document.getElementById("graph");
  const details = document.getElementById("details");
  const find = document.getElementById("find");
  const found = document.getElementById("found");
  const boxes = nodes.map((_, number) => document.getElementById(`n${number}`));
  const near = nodes.map(() => ({ made: [], into: [] }));
  for (const [source, target] of edges) {
    near[target].made.push(source);
    near[source].into.push(target);
  }

  // --- What part is shown: the SVG's viewBox, always of the window's proportions.

  const whole = { ...rect(svg.viewBox.baseVal) };
  let view = { ...whole };

  function rect({ x, y, width, height }) {
    return { x, y, width, height };
  }

  function show(next) {
    const { clientWidth: w, clientHeight: h } = svg;
    if (!w || !h) return;
    const least = 60;
    const most = Math.max(whole.width, whole.height * (w / h)) * 4;
    const width = Math.min(Math.max(next.width, least), most);
    const height = (width * h) / w;
    const cx = clamp(next.x + next.width / 2, whole.x, whole.x + whole.width);
    const cy = clamp(next.y + next.height / 2, whole.y, whole.y + whole.height);
    view = { x: cx - width / 2, y: cy - height / 2, width, height };
    svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
  }

  function clamp(value, low, high) {
    return Math.min(Math.max(value, low), high);
  }

  function fit() {
    const { clientWidth: w, clientHeight: h } = svg;
    const width = Math.max(whole.width, (whole.height * w) / h, w * 0.6);
    const height = (width * h) / w;
    show({ x: whole.x + (whole.width - width) / 2, y: whole.y + (whole.height - height) / 2, width, height });
  }

  function zoom(factor, px = svg.clientWidth / 2, py = svg.clientHeight / 2) {
    const fx = px / svg.clientWidth;
    const fy = py / svg.clientHeight;
    const width = view.width * factor;
    const height = view.height * factor;
    show({ x: view.x + (view.width - width) * fx, y: view.y + (view.height - height) * fy, width, height });
  }

  function pan(dx, dy) {
    const scale = view.width / svg.clientWidth;
    show({ ...view, x: view.x - dx * scale, y: view.y - dy * scale });
  }

  function middle(number) {
    const at = boxes[number].transform.baseVal.consolidate().matrix;
    const { width, height } = boxes[number].querySelector("rect").getBBox();
    return { x: at.e + width / 2, y: at.f + height / 2, width, height };
  }

  function reveal(number, always) {
    const { x, y, width, height } = middle(number);
    const inside =
      x - width / 2 > view.x && x + width / 2 < view.x + view.width &&
      y - height / 2 > view.y && y + height / 2 < view.y + view.height;
    if (always || !inside) show({ ...view, x: x - view.width / 2, y: y - view.height / 2 });
  }

  // --- Mouse, pen and fingers: one moves, two zoom; a tap chooses.

  const fingers = new Map();
  let moved = 0;

  svg.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    fingers.set(event.pointerId, event);
    moved = fingers.size > 1 ? Infinity : 0;
  });
  svg.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    if (fingers.size === 2) {
      const [other] = [...fingers.values()].filter((one) => one.pointerId !== event.pointerId);
      const box = svg.getBoundingClientRect();
      const old = Math.hypot(before.clientX - other.clientX, before.clientY - other.clientY);
      const now = Math.hypot(event.clientX - other.clientX, event.clientY - other.clientY);
      pan((event.clientX - before.clientX) / 2, (event.clientY - before.clientY) / 2);
      const px = (event.clientX + other.clientX) / 2 - box.left;
      const py = (event.clientY + other.clientY) / 2 - box.top;
      if (old > 0 && now > 0) zoom(old / now, px, py);
    } else {
      moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
      if (moved > 4) {
        // Only now: a captured pointer would take the click away from a node.
        svg.setPointerCapture(event.pointerId);
        svg.classList.add("moving");
        pan(event.clientX - before.clientX, event.clientY - before.clientY);
      }
    }
    fingers.set(event.pointerId, event);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    svg.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      if (!fingers.size) svg.classList.remove("moving");
    });
  }
  svg.addEventListener("click", (event) => {
    if (moved > 4) return;
    const box = event.target.closest(".node");
    if (box) choose(Number(box.id.slice(1)));
    else leave();
  });
  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = svg.getBoundingClientRect();
    const lines = event.deltaMode === 1 ? 30 : 1;
    zoom(Math.exp(clamp(event.deltaY * lines, -300, 300) * 0.0018), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });

  // --- Keys: arrows go from node to node, with Shift they move the view.

  svg.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const box = event.target.closest(".node");
    const here = box ? Number(box.id.slice(1)) : null;
    const arrows = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const arrow = arrows[event.key];
    if (arrow && (event.shiftKey || here === null)) pan(arrow[0] * 80, arrow[1] * 80);
    else if (arrow) step(here, event.key);
    else if (event.key === "+" || event.key === "=") zoom(0.8);
    else if (event.key === "-") zoom(1.25);
    else if (event.key === "0") fit();
    else if (event.key === "Escape") leave();
    else if ((event.key === "Enter" || event.key === " ") && here !== null) choose(here);
    else return;
    event.preventDefault();
  });

  function step(here, key) {
    const at = middle(here);
    let wanted;
    if (key === "ArrowLeft" || key === "ArrowRight") {
      wanted = near[here][key === "ArrowLeft" ? "made" : "into"];
    } else {
      const down = key === "ArrowDown";
      wanted = nodes.map((_, number) => number).filter((number) => {
        const there = middle(number);
        return Math.abs(there.x - at.x) < 1 && (down ? there.y > at.y : there.y < at.y);
      });
    }
    const nearest = wanted.reduce((best, number) =>
      best === null || Math.abs(middle(number).y - at.y) < Math.abs(middle(best).y - at.y) ? number : best, null);
    if (nearest !== null) focus(nearest);
  }

  function focus(number) {
    for (const box of boxes) box.setAttribute("tabindex", "-1");
    boxes[number].setAttribute("tabindex", "0");
    boxes[number].focus({ preventScroll: true });
    reveal(number);
  }

  // --- One node's details.

  function leave() {
    svg.classList.remove("choosing");
    for (const one of svg.querySelectorAll(".chosen, .on")) one.classList.remove("chosen", "on");
    details.replaceChildren();
    show(view);
  }

  function choose(number) {
    leave();
    const node = nodes[number];
    boxes[number].classList.add("chosen");
    svg.classList.add("choosing");
    for (const source of near[number].made) document.getElementById(`e${source}-${number}`).classList.add("on");
    for (const target of near[number].into) document.getElementById(`e${number}-${target}`).classList.add("on");
    const close = element("button", "✕", "close");
    close.setAttribute("aria-label", "Close details");
    close.addEventListener("click", () => { leave(); focus(number); });
    details.append(close, element("h2", node.path));
    list("", [
      ["digest", node.md5, "mono"], ["also at", (node.paths || []).join("\n")], ["size", size(node.size)],
      ["kind", { data: "raw data", file: "file in Git", output: "output" }[node.kind]],
      ["stage", node.stage], ["commit", node.commit, "mono"], ["date", node.date], ["message", node.subject],
      ["made", node.productions && `${node.productions} times`],
    ]);
    if (node.cmd) details.append(element("h3", "command"), element("pre", node.cmd));
    for (const title of ["params", "metrics", "run"]) list(title, node[title] || []);
    links("made of", near[number].made);
    links("went into", near[number].into);
    details.scrollTop = 0;
    show(view);  // the panel has taken some room
    reveal(number);
    focus(number);
  }

  function element(name, text, style) {
    const made = document.createElement(name);
    made.textContent = text;
    if (style) made.className = style;
    return made;
  }

  function list(title, rows) {
    const shown = rows.filter(([, value]) => value);
    if (!shown.length) return;
    if (title) details.append(element("h3", title));
    const made = document.createElement("dl");
    for (const [name, value, style] of shown) made.append(element("dt", name), element("dd", value, style));
    details.append(made);
  }

  function links(title, numbers) {
    if (!numbers.length) return;
    const made = document.createElement("ul");
    for (const number of numbers.slice(0, 100)) {
      const button = element("button", nodes[number].path);
      button.addEventListener("click", () => choose(number));
      const item = document.createElement("li");
      item.append(button);
      made.append(item);
    }
    if (numbers.length > 100) made.append(element("li", `and ${numbers.length - 100} more`));
    details.append(element("h3", `${title} ${numbers.length}`), made);
  }

  function size(bytes) {
    if (bytes === undefined) return "";
    const units = ["B", "kB", "MB", "GB", "TB"];
    let number = bytes;
    while (number >= 999.5 && units.length > 1) { number /= 1000; units.shift(); }
    return `${units[0] === "B" ? number : number.toPrecision(3)} ${units[0]}`;
  }

  // --- Search.

  const texts = nodes.map((node) =>
    [node.path, ...(node.paths || []), node.stage, node.md5, node.commit, node.subject].join("\n").toLowerCase());
  let hits = [];
  let current = -1;

  find.addEventListener("input", () => {
    const wanted = find.value.trim().toLowerCase();
    hits = wanted ? texts.flatMap((text, number) => (text.includes(wanted) ? [number] : [])) : [];
    current = -1;
    const chosen = new Set(hits);
    boxes.forEach((box, number) => box.classList.toggle("hit", chosen.has(number)));
    svg.classList.toggle("finding", Boolean(wanted));
    found.textContent = wanted ? `${hits.length} found` : "";
    if (hits.length) reveal(hits[0]);
  });
  find.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      find.value = "";
      find.dispatchEvent(new Event("input"));
    }
    if (event.key !== "Enter" || !hits.length) return;
    current = (current + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
    choose(hits[current]);
    reveal(hits[current], true);
    find.focus();
    found.textContent = `${current + 1} of ${hits.length}`;
  });

  // --- Begin: all of it, or around the artifact where all would be too small to read.

  document.getElementById("in").addEventListener("click", () => zoom(0.8));
  document.getElementById("out").addEventListener("click", () => zoom(1.25));
  document.getElementById("fit").addEventListener("click", fit);
  addEventListener("resize", () => show(view));
  let kept = null;
  addEventListener("beforeprint", () => {
    kept = view;
    svg.setAttribute("viewBox", `${whole.x} ${whole.y} ${whole.width} ${whole.height}`);
  });
  addEventListener("afterprint", () => show(kept || view));
  fit();
  if (view.width > svg.clientWidth * 1.8) {
    const width = svg.clientWidth * 1.2;
    show({ x: view.x, y: view.y, width, height: (width * svg.clientHeight) / svg.clientWidth });
    reveal(0, true);
  }
})();
