"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue("--" + name).trim();
  const layerColour = (index) => colour("layer" + (index % 6));
  const [canvas, scores, slider, tip] = ["raster", "scores", "time", "tip"].map(find);

  // Step k lasts from start + k·step to start + (k + 1)·step, in milliseconds; what is shown is whole steps.
  const first = data.first_step;
  const startMs = data.start_ms + first * data.step_ms;
  const endMs = data.start_ms + data.steps * data.step_ms;
  const stepAt = (ms) =>
    Math.max(first, Math.min(data.steps - 1, Math.floor((ms - data.start_ms) / data.step_ms + 1e-9)));
  const isWhole = (ms) => Math.abs(ms - Math.round(ms)) < 1e-9;
  const decimals = isWhole(data.step_ms) && isWhole(data.start_ms) ? 0 : data.step_ms < 1 ? 2 : 1;
  const rounded = (ms) => ms.toFixed(decimals);
  const span = (step) => {
    const begin = data.start_ms + step * data.step_ms;
    return rounded(begin) + " to " + rounded(begin + data.step_ms) + " ms";
  };

  // Events of a panel by step: a flat list of step, unit and number.
  for (const panel of data.panels) {
    panel.bySteps = Array.from({ length: data.steps }, () => []);
    for (let at = 0; at < panel.events.length; at += 3) {
      panel.bySteps[panel.events[at]].push([panel.events[at + 1], panel.events[at + 2]]);
    }
  }

  find("title").textContent = data.title;
  document.title = data.title;
  find("remarks").textContent = data.remarks.join("; ");
  // The slider counts whole steps: rounding of milliseconds would cost it its last one.
  slider.max = data.steps - first;

  let now = endMs; // all is seen until somebody plays
  let playing = false;
  let before = null;
  let places = null;
  let layers = null;

  // ---- the raster -------------------------------------------------------------------------------------------

  const LEFT = 74, RIGHT = 12, TOP = 8, GAP = 14, BELOW = 40;
  const heightOf = (panel) => Math.max(56, Math.min(300, 11 * Math.sqrt(panel.units)));
  const sized = (target, height) => {
    const width = target.parentElement === find("stage") ? target.parentElement.clientWidth : target.clientWidth;
    const ratio = window.devicePixelRatio || 1;
    target.style.height = height + "px";
    target.width = Math.round(width * ratio);
    target.height = Math.round(height * ratio);
    const context = target.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return [context, width];
  };
  const xOf = (ms, width) => LEFT + ((ms - startMs) / (endMs - startMs)) * (width - LEFT - RIGHT);
  const roundStep = (span, most) => {
    const power = Math.pow(10, Math.floor(Math.log10(span / most)));
    return [1, 2, 5, 10].map((factor) => factor * power).find((step) => span / step <= most);
  };
  const timeAxis = (context, width, top, bottom) => {
    const step = roundStep(endMs - startMs, Math.max(2, Math.min(11, Math.floor(width / 80))));
    context.font = "13px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "top";
    for (let ms = Math.ceil(startMs / step) * step; ms <= endMs + 1e-6; ms += step) {
      const x = xOf(ms, width);
      context.fillStyle = colour("grid");
      context.fillRect(x, top, 1, bottom - top);
      context.fillStyle = colour("ink");
      const label = String(+ms.toFixed(3));
      const half = context.measureText(label).width / 2;
      context.fillText(label, Math.min(x, width - half - 1), bottom + 5);
    }
    context.fillText("time (ms)", (LEFT + width - RIGHT) / 2, bottom + 21);
  };

  // Draws all events once, strong or pale; playing only puts the two together.
  const drawn = (width, height, ratio, alpha) => {
    const layer = document.createElement("canvas");
    layer.width = canvas.width;
    layer.height = canvas.height;
    const context = layer.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.globalAlpha = alpha;
    data.panels.forEach((panel, index) => {
      const { top, height } = places[index];
      const cell = height / panel.units;
      const column = xOf(data.step_ms, width) - xOf(0, width);
      const [wide, high] = [Math.max(1.2, Math.min(7, 0.75 * column)), Math.max(1.2, Math.min(9, 0.85 * cell))];
      context.fillStyle = layerColour(index);
      for (let at = 0; at < panel.events.length; at += 3) {
        const ms = data.start_ms + (panel.events[at] + 0.5) * data.step_ms;
        if (ms < startMs) continue;
        const y = top + (panel.events[at + 1] + 0.5) * cell;
        context.fillRect(xOf(ms, width) - wide / 2, y - high / 2, wide, high);
      }
    });
    return layer;
  };

  const layOut = () => {
    places = [];
    let top = TOP;
    for (const panel of data.panels) {
      places.push({ top, height: heightOf(panel) });
      top += heightOf(panel) + GAP;
    }
    const height = top - GAP + BELOW;
    const [, width] = sized(canvas, height);
    const ratio = window.devicePixelRatio || 1;
    layers = { width, height, ratio, bottom: top - GAP };
    layers.strong = drawn(width, height, ratio, 1);
    layers.pale = drawn(width, height, ratio, 0.25);
    const labels = document.createElement("canvas");
    labels.width = canvas.width;
    labels.height = canvas.height;
    const context = labels.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    timeAxis(context, width, TOP, layers.bottom);
    data.panels.forEach((panel, index) => {
      const { top, height } = places[index];
      context.fillStyle = colour("ink");
      context.fillRect(LEFT - 1, top, 1, height);
      context.fillRect(LEFT - 1, top + height, width - LEFT - RIGHT + 1, 1);
      context.textAlign = "right";
      context.textBaseline = "middle";
      context.font = "bold 14px system-ui, sans-serif";
      context.fillStyle = layerColour(index);
      context.fillText(panel.label, LEFT - 8, top + height / 2 - 8, LEFT - 10);
      context.font = "12px system-ui, sans-serif";
      context.fillStyle = colour("quiet");
      context.fillText(panel.units + " " + panel.unit_name + (panel.units === 1 ? "" : "s"), LEFT - 8, top + height / 2 + 9, LEFT - 10);
    });
    layers.labels = labels;
  };

  const drawRaster = () => {
    const { width, height, ratio, bottom } = layers;
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(layers.labels, 0, 0);
    const x = xOf(now, width) * ratio;
    const share = (layer, from, to) => {
      if (to > from) context.drawImage(layer, from, 0, to - from, canvas.height, from, 0, to - from, canvas.height);
    };
    share(layers.strong, 0, Math.round(x));
    share(layers.pale, Math.round(x), canvas.width);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = colour("line");
    context.fillRect(xOf(now, width) - 1, TOP, 2, bottom - TOP);
  };

  // ---- the readout ------------------------------------------------------------------------------------------

  const readout = data.readout;
  const rows = [];
  const classLine = (index) => (index === data.truth ? "truth" : index === data.taken ? "taken" : "quiet");
  if (readout) {
    find("readout").hidden = false;
    const body = find("classes").querySelector("tbody");
    data.class_names.forEach((name, index) => {
      const row = body.insertRow();
      const head = document.createElement("th");
      head.scope = "row";
      const isTruth = index === data.truth, isTaken = index === data.taken;
      const what = isTruth && isTaken ? " (true, taken)" : isTruth ? " (true)" : isTaken ? " (taken)" : "";
      head.textContent = name + what;
      row.className = classLine(index);
      row.append(head);
      const number = row.insertCell();
      number.className = "number";
      const bar = row.insertCell();
      bar.className = "bar";
      bar.append(document.createElement("div"));
      rows.push({ number, bar: bar.firstChild });
    });
  }
  let [low, high] = [0, 0];
  for (const step of readout || []) {
    for (const value of step) [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  if (high - low === 0) high = low + 1;
  // Three digits of the whole range.
  const digits = Math.max(0, Math.min(8, 2 - Math.floor(Math.log10(high - low))));
  const part = (value) => (value - low) / (high - low);

  const drawScores = () => {
    const height = 260;
    const [context, width] = sized(scores, height);
    const bottom = height - BELOW;
    const y = (value) => bottom - part(value) * (bottom - TOP);
    timeAxis(context, width, TOP, bottom);
    const step = roundStep(high - low, 5);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let value = Math.ceil(low / step) * step; value <= high + 1e-9; value += step) {
      context.fillStyle = colour("grid");
      context.fillRect(LEFT, y(value), width - LEFT - RIGHT, 1);
      context.fillStyle = colour("ink");
      context.fillText(String(+value.toPrecision(3)), LEFT - 6, y(value));
    }
    context.save();
    context.translate(14, (TOP + bottom) / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText("readout", 0, 0);
    context.restore();
    // The true class and the one that was taken for it come last, on top.
    const order = data.class_names.map((_, index) => index);
    order.sort((one, other) => (classLine(one) === "quiet" ? 0 : 1) - (classLine(other) === "quiet" ? 0 : 1));
    for (const index of order) {
      const kind = classLine(index);
      context.strokeStyle = colour(kind);
      context.globalAlpha = kind === "quiet" ? 0.45 : 1;
      context.lineWidth = kind === "quiet" ? 1 : 2.5;
      context.beginPath();
      readout.forEach((values, at) => {
        const ms = data.start_ms + (at + 1) * data.step_ms;
        if (ms >= startMs) context.lineTo(xOf(ms, width), y(values[index]));
      });
      context.stroke();
    }
    context.globalAlpha = 1;
    context.fillStyle = colour("line");
    context.fillRect(xOf(now, width) - 1, TOP, 2, bottom - TOP);
  };

  // ---- time -------------------------------------------------------------------------------------------------

  const shownStep = () => stepAt(now - data.step_ms / 2);
  const atTheStart = () => now <= startMs + 1e-6;
  const listed = (panel, step) => {
    const units = panel.bySteps[step].map(([unit, count]) => (count > 1 ? unit + " (" + count + "×)" : String(unit)));
    const most = 12;
    const some = units.slice(0, most).join(", ") + (units.length > most ? " and " + (units.length - most) + " more" : "");
    return panel.label + ": " + (some || "none");
  };
  const say = () => {
    const text = rounded(now) + " of " + rounded(endMs) + " ms";
    find("now").textContent = text;
    slider.value = Math.round((now - startMs) / data.step_ms);
    slider.setAttribute("aria-valuetext", text);
    const step = shownStep();
    const what = atTheStart()
      ? "Nothing has happened yet."
      : "Spikes in " + span(step) + "\n" + data.panels.map((panel) => listed(panel, step)).join("\n");
    find("spiking").textContent = what;
    if (!readout) return;
    const values = atTheStart() ? null : readout[step];
    rows.forEach(({ number, bar }, index) => {
      const value = values ? values[index] : 0;
      number.textContent = (Math.abs(value) < 0.5 * Math.pow(10, -digits) ? 0 : value).toFixed(digits);
      bar.style.marginLeft = Math.min(part(value), part(0)) * 100 + "%";
      bar.style.width = Math.abs(part(value) - part(0)) * 100 + "%";
    });
  };
  const show = () => {
    drawRaster();
    if (readout) drawScores();
    say();
  };
  const go = (ms) => {
    now = Math.max(startMs, Math.min(endMs, ms));
    show();
  };
  const frame = (time) => {
    if (!playing) return;
    if (before !== null) now += (time - before) * Number(find("speed").value);
    before = time;
    if (now >= endMs) stop();
    go(now);
    if (playing) requestAnimationFrame(frame);
  };
  const stop = () => {
    playing = false;
    before = null;
    find("play").textContent = "Play";
    find("spiking").setAttribute("aria-live", "polite");
  };
  const start = () => {
    if (now >= endMs - 1e-6) now = startMs;
    playing = true;
    find("play").textContent = "Pause";
    // Nobody can listen to sixty sentences a second.
    find("spiking").setAttribute("aria-live", "off");
    requestAnimationFrame(frame);
  };
  const toggle = () => (playing ? stop() : start());

  find("play").addEventListener("click", toggle);
  slider.addEventListener("input", () => {
    stop();
    go(startMs + Number(slider.value) * data.step_ms);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const inField = event.target.closest("button, select, input");
    if (event.key === " " && (!inField || inField === slider)) {
      event.preventDefault();
      toggle();
    }
    if (inField) return;
    const to = {
      ArrowRight: now + data.step_ms, ArrowLeft: now - data.step_ms, Home: startMs, End: endMs,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    stop();
    go(startMs + Math.round((to - startMs) / data.step_ms) * data.step_ms);
  });

  // ---- pointing ---------------------------------------------------------------------------------------------

  const NEAR = 9;
  const nearest = (x, y) => {
    const { width } = layers;
    const index = places.findIndex(({ top, height }) => y >= top - GAP / 2 && y <= top + height + GAP / 2);
    if (index < 0) return null;
    const panel = data.panels[index];
    const cell = places[index].height / panel.units;
    const column = xOf(data.step_ms, width) - xOf(0, width);
    const middle = stepAt(startMs + ((x - LEFT) / (width - LEFT - RIGHT)) * (endMs - startMs));
    const reach = Math.ceil(NEAR / column) + 1;
    let best = null;
    for (let step = Math.max(first, middle - reach); step <= Math.min(data.steps - 1, middle + reach); step += 1) {
      const left = xOf(data.start_ms + (step + 0.5) * data.step_ms, width);
      for (const [unit, count] of panel.bySteps[step]) {
        const top = places[index].top + (unit + 0.5) * cell;
        const away = Math.hypot(left - x, top - y);
        if (away <= NEAR && (!best || away < best.away)) best = { away, left, top, panel, step, unit, count };
      }
    }
    return best;
  };
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const spike = nearest(event.clientX - box.left, event.clientY - box.top);
    tip.hidden = !spike;
    if (!spike) return;
    const many = spike.count > 1 ? ", " + spike.count + " events" : "";
    tip.textContent = spike.panel.label + ", " + spike.panel.unit_name + " " + spike.unit + ", " + span(spike.step) + many;
    const room = layers.width - tip.offsetWidth;
    tip.style.left = Math.max(0, Math.min(room, spike.left + 10)) + "px";
    const above = spike.top - tip.offsetHeight - 8;
    tip.style.top = (above < 0 ? spike.top + 12 : above) + "px";
  });
  canvas.addEventListener("pointerleave", () => {
    tip.hidden = true;
  });
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") return;
    const box = canvas.getBoundingClientRect();
    const share = (event.clientX - box.left - LEFT) / (layers.width - LEFT - RIGHT);
    if (share < 0 || share > 1) return;
    stop();
    go(startMs + share * (endMs - startMs));
  });

  const again = () => {
    layOut();
    show();
  };
  canvas.setAttribute("aria-label", "Spikes over time of " + data.panels.map((panel) => panel.label).join(", "));
  scores.setAttribute("aria-label", "Readout of each class over time");
  find("spiking").setAttribute("aria-live", "polite");
  // A link may say where to begin: #ms=400
  const asked = /^#ms=([0-9.]+)$/.exec(location.hash);
  if (asked) now = Math.max(startMs, Math.min(endMs, Number(asked[1])));
  window.addEventListener("resize", again);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  again();
})();
