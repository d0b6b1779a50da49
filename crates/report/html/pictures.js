  // Pictures: a map over each, smooth between the centres of its parts as `Mosaic::grid` has it.
  function samples(borders, count) {
    const side = borders.at(-1), last = borders.length - 2;
    const center = (cell) => (borders[cell] + borders[cell + 1]) / 2;
    return Array.from({ length: count }, (_, i) => {
      const at = (i + 0.5) / count * side;
      const own = Math.max(0, Math.min(last, borders.findLastIndex((border) => border <= at)));
      const [first, second] = at < center(own) ? [Math.max(own - 1, 0), own] : [own, Math.min(own + 1, last)];
      return { own, first, second, share: first === second ? 0 : (at - center(first)) / (center(second) - center(first)) };
    });
  }

  const maps = [...document.querySelectorAll(".map")].map((svg) => {
    const mosaic = JSON.parse(svg.dataset.mosaic), canvas = document.createElement("canvas");
    Object.assign(canvas, { width: mosaic.columns, height: mosaic.rows });
    const find = (name) => svg.querySelector(name);
    return {
      svg, canvas, units: mosaic.units, n_columns: mosaic.x.length - 1,
      across: samples(mosaic.x, mosaic.columns), down: samples(mosaic.y, mosaic.rows),
      cells: [...svg.querySelectorAll(".cell")], smooth: find(".smooth"), halo: find(".halo"), strongest: find(".strongest"),
      where: svg.parentElement.querySelector(".where"), drawn: null,
    };
  });
  const hues = document.getElementById("pictures").dataset;
  const [supportsHue, againstHue] = [hues.supports, hues.against].map((hue) => hue.split(",").map(Number));

  function drawSmooth(map, now) {
    const { scores, limit } = now;
    // Pointing changes no colour of a map.
    const wanted = [limit, Boolean(sinks?.checked), ...scores].join();
    if (map.drawn === wanted) return;
    map.drawn = wanted;
    const context = map.canvas.getContext("2d"), pixels = context.createImageData(map.canvas.width, map.canvas.height);
    const of = (row, column) => {
      const unit = map.units[row * map.n_columns + column];
      return unit === null || (data.units[unit].sink && !sinks?.checked) ? null : scores[unit] ?? null;
    };
    let at = 0;
    for (const down of map.down) {
      for (const across of map.across) {
        let sum = 0, weight = 0;
        for (const [row, ofRow] of [[down.first, 1 - down.share], [down.second, down.share]]) {
          for (const [column, ofColumn] of [[across.first, 1 - across.share], [across.second, across.share]]) {
            const score = of(row, column);
            if (score !== null) { sum += ofRow * ofColumn * score; weight += ofRow * ofColumn; }
          }
        }
        const known = of(down.own, across.own) !== null && weight > 0 && limit > 0;
        const strength = known ? strengthOf(sum / weight, now) : 0;
        const alpha = Math.round(Math.abs(strength) * Number(hues.full) * 255);
        pixels.data.set([...(strength < 0 ? againstHue : supportsHue), alpha], at);
        at += 4;
      }
    }
    context.putImageData(pixels, 0, 0);
    map.smooth.setAttribute("href", map.canvas.toDataURL());
  }

  function showPictures(now, unit) {
    const amount = (score) => `${now.signed ? withSign(score) : short(score)} ${now.unit}`.trim();
    for (const map of maps) {
      let strongest = null;
      for (const cell of map.cells) {
        const index = Number(cell.dataset.unit), score = now.scores[index] ?? null;
        const name = data.units[index].text, said = score === null ? `${name}: no score` : `${name}: ${amount(score)}`;
        cell.querySelector("title").textContent = said;
        cell.setAttribute("aria-label", said);
        cell.setAttribute("aria-pressed", String(index === kept));
        if (score && !data.units[index].sink && Math.abs(score) > Math.abs(strongest?.score ?? 0)) strongest = { cell, score, name };
      }
      for (const line of [map.halo, map.strongest]) line.setAttribute("d", strongest ? strongest.cell.getAttribute("d") : "");
      map.strongest.classList.toggle("dashed", strongest !== null && isAgainst(strongest.score, now));
      const where = !strongest ? "no part has a score"
        : `strongest: ${strongest.name.replace(/^image \d+, /, "")}, ${amount(strongest.score)}`;
      map.where.textContent = where;
      map.svg.setAttribute("aria-label", `${map.svg.dataset.name}; ${where}`);
      drawSmooth(map, now);
    }
  }

  for (const { svg, cells } of maps) {
    svg.addEventListener("pointerover", (event) => { if (event.pointerType !== "touch") { pointed = unitAt(event); show(); } });
    svg.addEventListener("pointerleave", () => { pointed = null; show(); });
    svg.addEventListener("click", (event) => { if (unitAt(event) !== null) keep(unitAt(event)); });
    svg.addEventListener("focusin", (event) => { if (event.target.matches(":focus-visible")) { pointed = unitAt(event); show(); } });
    svg.addEventListener("focusout", () => { pointed = null; show(); });
    svg.setAttribute("role", "group");
    for (const cell of cells) cell.setAttribute("role", "button");
    keys(svg, cells, (cell) => keep(Number(cell.dataset.unit)), () => {});
  }
