// The page is readable as it is; this lets a reader ask about single words. Text goes into the page as text only.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("explanation").textContent);
  const prompt = byId("prompt"), answer = byId("answer"), status = byId("status"), sinks = byId("sinks");
  const contrasts = byId("contrasts");
  const { levels, quantile, mostClipped, tokenLimit, measure } = answer.dataset;
  const parts = [...document.querySelectorAll("[data-unit]")];
  const tokens = [...answer.querySelectorAll(".token")];
  const postprocessing = data.settings.postprocessing, signed = postprocessing === "none";
  const parents = new Set(data.units.map((unit) => unit.parent));
  const whole = { from: 0, to: data.target.tokens.length };

  let span = data.span ? { from: data.span.start_token, to: data.span.end_token } : whole;
  let anchor = null; // the token that a selection started at
  let previewed = null; // the token that is pointed at
  let pointed = null, kept = null; // units

  // Scores, as the engine makes them of rows.
  function scoresOf({ from, to }) {
    const sums = data.relevance.map((row) => {
      const known = row ? row.slice(from, to).filter((value) => value !== null) : [];
      return known.length ? known.reduce((sum, value) => sum + value, 0) : null;
    });
    const known = sums.filter((sum) => sum !== null);
    const least = Math.min(...known), greatest = Math.max(...known);
    return sums.map((sum) => sum === null ? null : {
      "none": () => sum,
      "absolute": () => Math.abs(sum),
      "square": () => sum * sum,
      "min-max": () => greatest > least ? (sum - least) / (greatest - least) : 0,
    }[postprocessing]());
  }

  function noiseOf({ from, to }) {
    if (data.noise_floor === null) return null;
    const noise = data.noise_floor * (to - from);
    return { "none": noise, "absolute": noise, "square": noise * noise, "min-max": null }[postprocessing];
  }

  function limitOf(scores, fixed = null) {
    const isShown = (score, unit) => score !== null && !data.units[unit].sink && !parents.has(unit);
    const ofPrompt = scores.filter((score, unit) => isShown(score, unit) && data.units[unit].source === "prompt");
    const sizes = (ofPrompt.length ? ofPrompt : scores.filter(isShown)).map(Math.abs).sort((a, b) => a - b);
    const within = sizes[Math.max(Math.ceil(Number(quantile) * sizes.length) - 1, 0)] ?? 0;
    const limit = fixed ?? Math.max(within, (sizes.at(-1) ?? 0) / Number(mostClipped));
    return { limit, known: sizes.length, clipped: sizes.filter((size) => size > limit).length };
  }

  // What is asked at the moment.
  function view() {
    const option = contrasts?.selectedOptions[0];
    if (option?.value) {
      const { limit, noise, note } = option.dataset, scores = data.contrasts[option.value].relevance;
      return { scores, ...limitOf(scores, Number(limit)), noise: noise ? Number(noise) : null, signed: true, note, unit: measureOf("none"), ends: ["speaks for the alternative", "speaks for the answer"] };
    }
    const range = previewed ? rangeOf(previewed) : span;
    // Single tokens share a scale, so that one can be compared with another.
    const fixed = range.to - range.from === 1 ? Number(tokenLimit) : null;
    const scores = scoresOf(range), scale = limitOf(scores, fixed);
    const note = range.from === whole.from && range.to === whole.to ? "" : `Colours are for “${textOf(range)}” alone.`;
    return { scores, ...scale, noise: noiseOf(range), signed, note, unit: measure, ends: ["speaks against it", "supports the answer"] };
  }

  const measureOf = (kind) => kind === "none" ? { "cross-entropy": "nats", "logit": "logits", "probability": "probability" }[data.settings.score] : measure;

  function rangeOf(token) {
    const [from, to] = token.dataset.tokens.split("-").map(Number);
    return { from, to };
  }

  const textOf = ({ from, to }) => tokens.filter((token) => rangeOf(token).from >= from && rangeOf(token).to <= to).map((token) => token.textContent).join("").trim();

  function short(value) {
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size < 1e-4) return value.toExponential(1);
    return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : Math.min(1 - Math.floor(Math.log10(size)), 5));
  }

  const roundsToZero = Number(answer.dataset.roundsToZero);
  const withSign = (value) => Math.abs(value) < roundsToZero ? "0.000" : (value < 0 ? "−" : "+") + Math.abs(value).toFixed(3);

  const isNoise = (score, { noise }) => noise !== null && noise > 0 && Math.abs(score) <= noise;
  // On neither side: noise, and what rounds to zero.
  const isNeither = (score, now) => isNoise(score, now) || (now.signed && Math.abs(score) < roundsToZero);
  const isAgainst = (score, now) => now.signed && score < 0 && !isNeither(score, now);
  const strengthOf = (score, now) => now.limit > 0 && !isNeither(score, now) ? Math.max(-1, Math.min(1, score / now.limit)) : 0;

  function paint(element, score, now) {
    const known = score !== null && score !== undefined;
    element.dataset.tint = known ? Math.round(strengthOf(score, now) * Number(levels)) : 0;
    element.dataset.relevance = known ? score : "";
    element.classList.toggle("noise", known && isNoise(score, now));
    element.classList.toggle("against", known && isAgainst(score, now));
  }

  function show() {
    const now = view(), unit = pointed ?? kept;
    for (const part of parts) paint(part, now.scores[part.dataset.unit], now);{{show_pictures}}
    for (const token of tokens) {
      const range = rangeOf(token);
      const chosen = !(span.from === whole.from && span.to === whole.to) && range.from >= span.from && range.to <= span.to;
      token.classList.toggle("chosen", chosen);
      token.classList.toggle("previewed", token === previewed);
      token.setAttribute("aria-selected", String(chosen));
      if (!("unit" in token.dataset)) paint(token, null, now);
      if (unit !== null) {
        paint(token, scoresOf(range)[unit], { limit: Number(tokenLimit), noise: noiseOf(range), signed });
      }
    }
    for (const part of prompt.querySelectorAll("[data-unit]")) {
      part.classList.toggle("active", Number(part.dataset.unit) === unit);
      part.setAttribute("aria-pressed", String(Number(part.dataset.unit) === kept));
    }
    const whatever = span.from === whole.from && span.to === whole.to && kept === null;
    byId("whole").hidden = whatever;
    const end = short(now.limit) + (now.unit ? ` ${now.unit}` : "");
    byId("least").textContent = now.signed ? `−${short(now.limit)} ${now.ends[0]}` : "0";
    byId("most").textContent = now.signed ? `+${end} ${now.ends[1]}` : end;
    byId("legend").textContent = now.clipped
      ? `Scores beyond are clipped (${now.clipped} of ${now.known}); at least ${Number(quantile) * 100} % of the prompt's units lie within.`
      : "";
    if (byId("floor") && now.noise !== null) byId("floor").textContent = `${short(now.noise)} ${now.unit}`.trim();
    byId("ramp").className = now.signed ? "ramp" : "ramp-positive";
    put(byId("note"), now.note);
    byId("answer-help").hidden = Boolean(now.note);
    put(status, unit === null ? "" : about(unit, now));
  }

  function about(unit, now) {
    const { scores, signed, unit: name } = now, score = scores[unit], text = nameOf(unit);
    if (score === null) return `“${text}” has no score here.`;
    const amount = signed ? withSign(score) : short(score);
    const [against, supports] = now.ends.map((end) => end.replace(/ it$/, " the answer"));
    const verdict = isNoise(score, now) ? "within the noise floor"
      : !signed ? "" : isNeither(score, now) ? "which rounds to zero" : isAgainst(score, now) ? against : supports;
    const row = tokens.map((token) => [textOf(rangeOf(token)), scoresOf(rangeOf(token))[unit]]).filter(([, value]) => value !== null);
    const [word, most] = row.reduce((best, next) => Math.abs(next[1]) > Math.abs(best[1]) ? next : best, ["", 0]);
    const strongest = signed && row.length > 1 && !contrasts?.value ? ` Most on “${word}”: ${withSign(most)}.` : "";
    const along = data.units[unit].neighbours.length ? ` Damped along with it: ${data.units[unit].neighbours.length} similar positions.` : "";
    return [`“${text}”`, `${amount} ${name}`.trim() + (verdict ? `, ${verdict}` : "") + "." + strongest + along].join(" ");
  }

  const nameOf = (unit) => data.units[unit].text.trim() || "␣";

  function put(place, text) {
    if (place.textContent !== text) place.textContent = text;
    place.hidden = !text;
  }

  function choose(range) {
    span = range;
    show();
  }

  const between = (a, b) => ({ from: Math.min(rangeOf(a).from, rangeOf(b).from), to: Math.max(rangeOf(a).to, rangeOf(b).to) });

  function reset() {
    kept = pointed = previewed = anchor = null;
    choose(whole);
  }

  // The answer: point, click, drag, shift.
  let dragging = false;
  const tokenAt = (event) => event.target.closest?.(".token");
  answer.addEventListener("pointerover", (event) => {
    const token = tokenAt(event);
    if (dragging && token && anchor) return choose(between(anchor, token));
    if (event.pointerType !== "touch") { previewed = token; show(); }
  });
  answer.addEventListener("pointerleave", () => { previewed = null; show(); });
  answer.addEventListener("pointerdown", (event) => {
    const token = tokenAt(event);
    if (!token || event.button !== 0) return;
    previewed = null;
    token.releasePointerCapture?.(event.pointerId);
    if (event.shiftKey && anchor) return choose(between(anchor, token));
    dragging = event.pointerType !== "touch";
    const range = rangeOf(token), same = span.from === range.from && span.to === range.to;
    anchor = token;
    choose(same && range.to - range.from < whole.to ? whole : range);
  });
  addEventListener("pointerup", () => { dragging = false; });
  answer.addEventListener("focusin", (event) => { if (event.target.matches(":focus-visible")) { previewed = tokenAt(event); show(); } });
  answer.addEventListener("focusout", () => { previewed = null; show(); });

  // The prompt: point, click to keep.
  const unitAt = (event) => { const part = event.target.closest?.("[data-unit]"); return part ? Number(part.dataset.unit) : null; };
  const keep = (unit) => { kept = kept === unit ? null : unit; show(); };
  prompt.addEventListener("pointerover", (event) => { if (event.pointerType !== "touch") { pointed = unitAt(event); show(); } });
  prompt.addEventListener("pointerleave", () => { pointed = null; show(); });
  prompt.addEventListener("click", (event) => { if (unitAt(event) !== null) keep(unitAt(event)); });
  prompt.addEventListener("focusin", (event) => { if (event.target.matches(":focus-visible")) { pointed = unitAt(event); show(); } });
  prompt.addEventListener("focusout", () => { pointed = null; show(); });

  // By keyboard each text is one stop; arrow keys move in it.
  function keys(text, items, enter, extend) {
    const visible = () => items.filter((item) => item.getClientRects().length);
    const first = visible()[0];
    for (const item of items) item.tabIndex = item === first ? 0 : -1;
    text.addEventListener("keydown", (event) => {
      const all = visible(), at = all.indexOf(event.target);
      const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
      if (event.key === "Enter" || event.key === " ") {
        enter(event.target);
      } else if (next !== undefined && all[next]) {
        for (const item of items) item.tabIndex = item === all[next] ? 0 : -1;
        all[next].focus();
        if (event.shiftKey) extend(event.target, all[next]);
      } else {
        return;
      }
      event.preventDefault();
    });
  }
  keys(prompt, [...prompt.querySelectorAll("[data-unit]")], (part) => keep(Number(part.dataset.unit)), () => {});
  keys(answer, tokens, (token) => { anchor = token; previewed = null; choose(rangeOf(token)); }, (from, to) => {
    anchor ??= from;
    previewed = null;
    choose(between(anchor, to));
  });
{{pictures}}  addEventListener("keydown", (event) => { if (event.key === "Escape") reset(); });

  byId("whole").addEventListener("click", reset);
  contrasts?.addEventListener("change", show);
  sinks?.addEventListener("change", show);
  byId("download").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: "application/json" }));
    link.download = "explanation.json";
    link.click();
    URL.revokeObjectURL(link.href);
  });

  for (const part of prompt.querySelectorAll("[data-unit]")) part.setAttribute("role", "button");
  for (const hidden of document.querySelectorAll(".controls, .contrast, #download")) hidden.hidden = false;
  document.body.classList.add("interactive");
  show();
})();
