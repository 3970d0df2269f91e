"use strict";
(() => {
  const { runs, charts, axes } = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const state = { axis: axes[0], domain: null, log: false, hidden: new Set() };
  const tip = document.getElementById("tip");
  const reset = document.getElementById("reset");
  const views = [];
  let printing = false;

  // --- Tables: a heading sorts by the unrounded value; unknown and empty stay last.
  const compare = (a, b, up) => {
    if (a === b) return 0;
    if (a === null) return 1;
    if (b === null) return -1;
    return (a < b ? -1 : 1) * (up ? 1 : -1);
  };
  const keyOf = (row, index, numeric) => {
    const cell = row.cells[index];
    if (!numeric) return cell.textContent.trim().toLowerCase();
    return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
  };
  document.querySelectorAll("table.sortable").forEach((table) => {
    table.querySelectorAll("thead th").forEach((head, index) => head.firstElementChild.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const body = table.tBodies[0];
      const numeric = head.classList.contains("n");
      const rows = [...body.rows].map((row) => [keyOf(row, index, numeric), row]);
      rows.sort((a, b) => compare(a[0], b[0], up)).forEach(([, row]) => body.append(row));
    }));
  });

  if (!runs.length) return;

  // --- Numbers and axes.
  const unitFor = (units, largest) => units.find(([scale]) => largest / scale >= 1) || units[units.length - 1];
  const short = (value) => Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3) ? value.toExponential(1) : String(+value.toPrecision(4));
  const ticks = (low, high, count) => {
    const raw = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
    const found = [];
    for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(+at.toPrecision(12));
    return found;
  };
  const decades = (low, high) => {
    const marks = (multiples) => {
      const found = [];
      for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
        for (const m of multiples) if (m * power >= low && m * power <= high) found.push(+(m * power).toPrecision(3));
      }
      return found;
    };
    return [[1], [1, 2, 5]].map(marks).find((found) => found.length > 2) || ticks(low, high, 4);
  };
  const bounds = (values) => {
    let low = Infinity, high = -Infinity;
    for (const v of values) if (v !== null) { if (v < low) low = v; if (v > high) high = v; }
    if (low > high) return null;
    return low === high ? [low - (Math.abs(low) || 1) * .05, high + (Math.abs(high) || 1) * .05] : [low, high];
  };
  const shown = () => runs.map((run, index) => ({ ...run, index })).filter((run) => !state.hidden.has(run.index));
  const fullDomain = () => bounds(runs.flatMap((run) => run.curves[state.axis.key] || []).filter((v) => !state.log || v > 0));
  const along = (v) => state.log ? Math.log10(v) : v;
  const back = (v) => state.log ? 10 ** v : v;
  const node = (name, attributes, parent, text) => {
    const made = document.createElementNS(SVG, name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  };

  // --- One chart: redrawn whole on every change; at most a few thousand points.
  const draw = (view) => {
    const { chart, svg } = view;
    const width = printing ? (chart.key === "loss" ? 720 : 350) : Math.max(view.figure.clientWidth - 26, 240);
    const tall = chart.key === "loss" || (chart.key === "perplexity" && !printing && area.clientWidth > 1000);
    const height = tall ? 340 : 190;
    const box = { left: 56, right: width - 10, top: 8, bottom: height - 34 };
    const full = fullDomain();
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    view.box = null;
    const x = state.domain || full;
    const inside = x && shown().flatMap((run) => [run.curves, chart.points ? run.validation : {}].flatMap((c) =>
      (c[chart.key] || []).filter((v, i) => c[state.axis.key][i] !== null && c[state.axis.key][i] >= x[0] && c[state.axis.key][i] <= x[1])));
    const y = inside && bounds(inside);
    if (!y) {
      node("text", { x: width / 2, y: height / 2, "text-anchor": "middle" }, svg, "unknown: not logged in this span");
      return;
    }
    const log = chart.log && y[0] > 0;
    const pad = log ? (y[1] / y[0]) ** .06 : (y[1] - y[0]) * .06;
    const low = log ? y[0] / pad : y[0] >= 0 ? Math.max(y[0] - pad, 0) : y[0] - pad, high = log ? y[1] * pad : y[1] + pad;
    const rise = log ? (v) => Math.log(v / low) / Math.log(high / low) : (v) => (v - low) / (high - low);
    const px = (v) => state.log && v <= 0 ? box.left - 99 : box.left + (along(v) - along(x[0])) / (along(x[1]) - along(x[0])) * (box.right - box.left);
    const py = (v) => box.bottom - rise(v) * (box.bottom - box.top);
    const [xs, xu] = unitFor(state.axis.units, x[1]), [ys, yu] = unitFor(chart.units, high);
    Object.assign(view, { box, x, px, py });
    view.unit.textContent = yu ? ` (${yu})` : "";
    for (const v of log ? decades(low / ys, high / ys) : ticks(low / ys, high / ys, height > 300 ? 6 : 4)) {
      node("line", { x1: box.left, x2: box.right, y1: py(v * ys), y2: py(v * ys), class: "rule" }, svg);
      node("text", { x: box.left - 7, y: py(v * ys) + 4, "text-anchor": "end" }, svg, short(v));
    }
    for (const v of state.log ? decades(x[0] / xs, x[1] / xs) : ticks(x[0] / xs, x[1] / xs, width > 600 ? 8 : 5)) {
      node("text", { x: px(v * xs), y: box.bottom + 16, "text-anchor": "middle" }, svg, short(v));
    }
    node("text", { x: box.right, y: height - 4, "text-anchor": "end" }, svg, state.axis.name + (xu ? ` (${xu})` : ""));
    const clip = node("clipPath", { id: `clip-${chart.key}` }, svg);
    node("rect", { x: box.left - 6, y: box.top - 4, width: box.right - box.left + 12, height: box.bottom - box.top + 8 }, clip);
    const plot = node("g", { "clip-path": `url(#clip-${chart.key})` }, svg);
    for (const run of shown()) {
      const colour = `var(--s${run.index % 8})`;
      drawMarks(run, plot, colour, px, box);
      node("path", { d: path(run.curves, chart.key, px, py), class: run.predicted ? "line predicted" : "line", stroke: colour }, plot);
      if (chart.key === "loss" && run.bar !== null && run.bar > low && run.bar < high) {
        node("line", { x1: box.left, x2: box.right, y1: py(run.bar), y2: py(run.bar), class: "bar", stroke: colour }, plot);
        node("text", { x: box.right, y: py(run.bar) - 4, "text-anchor": "end" }, svg, "token frequencies alone");
      }
      if (!chart.points) continue;
      (run.validation[chart.key] || []).forEach((v, i) => {
        const at = run.validation[state.axis.key][i];
        if (v !== null && at !== null) node("circle", { cx: px(at), cy: py(v), r: 3, class: "dot", stroke: colour }, plot);
      });
    }
    view.cross = node("line", { y1: box.top, y2: box.bottom, class: "cross", visibility: "hidden" }, svg);
    view.brush = node("rect", { y: box.top, height: box.bottom - box.top, class: "brush", visibility: "hidden" }, svg);
  };
  const path = (curves, key, px, py) => {
    let text = "", pen = false;
    curves[key].forEach((v, i) => {
      const at = curves[state.axis.key][i];
      if (v === null || at === null) { pen = false; return; }
      text += `${pen ? "L" : "M"}${px(at).toFixed(1)} ${py(v).toFixed(1)}`;
      pen = true;
    });
    return text;
  };
  const drawMarks = (run, plot, colour, px, box) => {
    for (const mark of run.marks) {
      const at = mark[state.axis.key];
      if (at === null || at === undefined) continue;
      const place = px(at);
      const drawn = mark.kind === "restart"
        ? node("line", { x1: place, x2: place, y1: box.top, y2: box.bottom, class: "restart", stroke: colour }, plot)
        : mark.kind === "checkpoint"
          ? node("path", { d: `M${place - 4} ${box.bottom + 1}h8l-4 -7z`, fill: colour, opacity: .7 }, plot)
          : node("path", { d: `M${place} ${box.top + (mark.kind === "gap" ? 11 : 0)}l5 5l-5 5l-5 -5z`, fill: mark.kind === "fault" ? "var(--s1)" : "var(--s3)" }, plot);
      drawn.classList.add(`mark-${mark.kind}`);
      node("title", {}, drawn, `step ${mark.step}: ${mark.text}`);
    }
  };
  const redraw = () => {
    reset.disabled = !state.domain;
    views.forEach(draw);
  };

  // --- Zoom: drag, wheel (when the chart has focus, or with Ctrl), keys. All charts share one span.
  const zoomTo = (low, high) => {
    const full = fullDomain();
    if (along(high) - along(low) < (along(full[1]) - along(full[0])) * 1e-4) return;
    low = Math.max(low, full[0]); high = Math.min(high, full[1]);
    state.domain = low <= full[0] && high >= full[1] ? null : [low, high];
    redraw();
  };
  const scaleBy = (factor, centre) => {
    const [low, high] = (state.domain || fullDomain()).map(along), at = along(centre);
    zoomTo(back(at - (at - low) * factor), back(at + (high - at) * factor));
  };
  const valueAt = (view, event) => {
    const frame = view.svg.getBoundingClientRect();
    const at = (event.clientX - frame.left) / frame.width * view.svg.viewBox.baseVal.width;
    const share = (at - view.box.left) / (view.box.right - view.box.left);
    return back(along(view.x[0]) + Math.min(Math.max(share, 0), 1) * (along(view.x[1]) - along(view.x[0])));
  };
  const nearest = (column, value) => {
    let best = -1;
    column.forEach((v, i) => { if (v !== null && (best < 0 || Math.abs(v - value) < Math.abs(column[best] - value))) best = i; });
    return best;
  };
  const hover = (view, event) => {
    const value = valueAt(view, event);
    views.forEach((other) => {
      if (!other.box) return;
      other.cross.setAttribute("x1", other.px(value)); other.cross.setAttribute("x2", other.px(value));
      other.cross.setAttribute("visibility", "visible");
    });
    tip.replaceChildren();
    for (const run of shown()) {
      const i = nearest(run.curves[state.axis.key], value);
      if (i < 0) continue;
      const y = run.curves[view.chart.key][i];
      const [scale, unit] = unitFor(view.chart.units, Math.abs(y || 0));
      const [xs, xu] = unitFor(state.axis.units, run.curves[state.axis.key][i]);
      const line = document.createElement("div"), dot = document.createElement("i"), head = document.createElement("b");
      dot.style.color = `var(--s${run.index % 8})`;
      head.append(dot, `${y === null ? "unknown" : +(y / scale).toPrecision(5)} ${unit}`);
      line.append(head, `${run.label}, step ${run.curves.step[i]}, ${+(run.curves[state.axis.key][i] / xs).toPrecision(4)} ${xu}`);
      tip.append(line);
    }
    tip.hidden = !tip.childElementCount;
    tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${Math.max(8, event.clientY - tip.offsetHeight - 12)}px`;
  };
  const leave = () => {
    tip.hidden = true;
    views.forEach((view) => view.box && view.cross.setAttribute("visibility", "hidden"));
  };
  const listen = (view) => {
    const { svg } = view;
    let from = null;
    svg.addEventListener("pointerdown", (event) => {
      if (!view.box || event.button) return;
      from = valueAt(view, event);
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => {
      if (!view.box) return;
      hover(view, event);
      if (from === null) return;
      const pair = [view.px(from), view.px(valueAt(view, event))].sort((a, b) => a - b);
      view.brush.setAttribute("x", pair[0]); view.brush.setAttribute("width", pair[1] - pair[0]);
      view.brush.setAttribute("visibility", "visible");
    });
    svg.addEventListener("pointerup", (event) => {
      if (from === null || !view.box) return;
      const to = valueAt(view, event), start = from;
      from = null;
      view.brush.setAttribute("visibility", "hidden");
      if (Math.abs(view.px(to) - view.px(start)) > 6) zoomTo(Math.min(start, to), Math.max(start, to));
    });
    svg.addEventListener("pointercancel", () => { from = null; leave(); });
    svg.addEventListener("pointerleave", leave);
    svg.addEventListener("dblclick", () => { state.domain = null; redraw(); });
    svg.addEventListener("wheel", (event) => {
      if (!view.box || (document.activeElement !== svg && !event.ctrlKey)) return;
      event.preventDefault();
      scaleBy(event.deltaY > 0 ? 1.25 : .8, valueAt(view, event));
    }, { passive: false });
    svg.addEventListener("keydown", (event) => {
      if (!view.box) return;
      const [low, high] = view.x.map(along), middle = back((low + high) / 2), move = (high - low) / 5;
      const keys = {
        "+": () => scaleBy(.7, middle), "=": () => scaleBy(.7, middle), "-": () => scaleBy(1.43, middle),
        ArrowLeft: () => state.domain && shift(-move), ArrowRight: () => state.domain && shift(move),
        Escape: () => { state.domain = null; redraw(); }, 0: () => { state.domain = null; redraw(); },
      };
      if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
    });
  };
  const shift = (by) => {
    const full = fullDomain().map(along), [low, high] = state.domain.map(along);
    const moved = Math.max(full[0] - low, Math.min(by, full[1] - high));
    zoomTo(back(low + moved), back(high + moved));
  };

  // --- Build.
  const area = document.getElementById("charts");
  for (const chart of charts) {
    const figure = document.createElement("figure"), caption = document.createElement("figcaption"), unit = document.createElement("span");
    figure.className = "chart";
    caption.append(chart.name, unit);
    const svg = node("svg", { id: `chart-${chart.key}`, tabindex: 0, role: "img", "aria-label": `${chart.name} of ${runs.map((r) => r.label).join(", ")}` });
    figure.append(caption, svg);
    area.append(figure);
    const view = { chart, figure, svg, unit };
    views.push(view);
    listen(view);
  }
  const legend = document.getElementById("legend");
  const shapes = {
    restart: (parent) => node("line", { x1: 8, x2: 8, y1: 0, y2: 16, class: "restart", stroke: "currentColor" }, parent),
    checkpoint: (parent) => node("path", { d: "M4 13h8l-4 -7z", fill: "currentColor", opacity: .7 }, parent),
    fault: (parent) => node("path", { d: "M8 3l5 5l-5 5l-5 -5z", fill: "var(--s1)" }, parent),
    gap: (parent) => node("path", { d: "M8 3l5 5l-5 5l-5 -5z", fill: "var(--s3)" }, parent),
  };
  runs.forEach((run, index) => {
    const button = document.createElement("button"), swatch = document.createElement("i");
    swatch.style.color = `var(--s${index % 8})`;
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.append(swatch, run.label);
    button.addEventListener("click", () => {
      if (!state.hidden.delete(index)) state.hidden.add(index);
      button.setAttribute("aria-pressed", String(!state.hidden.has(index)));
      redraw();
    });
    legend.append(button);
  });
  const keys = document.createElement("span");
  keys.className = "keys";
  for (const [kind, shape] of Object.entries(shapes)) {
    if (!runs.some((run) => run.marks.some((mark) => mark.kind === kind))) continue;
    const key = document.createElement("span");
    shape(node("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, key));
    key.append(kind === "gap" ? "meter gap" : kind);
    keys.append(key);
  }
  legend.append(keys);
  document.querySelectorAll("#axis input").forEach((input) => {
    const axis = axes.find((a) => a.key === input.value);
    input.disabled = !runs.some((run) => (run.curves[axis.key] || []).some((v) => v !== null));
    input.addEventListener("change", () => { state.axis = axis; state.domain = null; redraw(); });
  });
  document.getElementById("log").addEventListener("change", (event) => {
    state.log = event.target.checked; state.domain = null; redraw();
  });
  reset.addEventListener("click", () => { state.domain = null; redraw(); });
  for (const [name, value] of [["beforeprint", true], ["afterprint", false]]) addEventListener(name, () => { printing = value; redraw(); });
  new ResizeObserver(redraw).observe(area);
  redraw();
})();
