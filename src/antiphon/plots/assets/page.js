"use strict";
(function () {
  function sortKey(row, index) {
    const cell = row.cells[index];
    const key = cell.dataset.sort;
    if (key !== undefined) return parseFloat(key);
    return cell.classList.contains("number") ? NaN : cell.textContent;
  }
  function compare(a, b) {
    if (typeof a === "string" && typeof b === "string") {
      return a.localeCompare(b, undefined, { numeric: true });
    }
    return a - b;
  }
  function missing(key) {
    return typeof key === "number" && Number.isNaN(key);
  }
  function sortTable(table, index, head) {
    const up = head.getAttribute("aria-sort") === "descending" ||
      (!head.hasAttribute("aria-sort") && !head.classList.contains("number"));
    const body = table.tBodies[0];
    const rows = Array.from(body.rows).map((row) => ({ row, key: sortKey(row, index) }));
    rows.sort((a, b) => {
      if (missing(a.key) || missing(b.key)) return missing(a.key) - missing(b.key);
      return (up ? 1 : -1) * compare(a.key, b.key);
    });
    rows.forEach((entry) => body.append(entry.row));
    table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
  }
  function control(text, input, before) {
    const label = document.createElement("label");
    label.className = "control";
    label.append(text + " ", input);
    before.before(label);
  }
  document.querySelectorAll("table").forEach((table) => {
    Array.from(table.tHead.rows[0].cells).forEach((head, index) => {
      head.querySelector("button").addEventListener("click", () => sortTable(table, index, head));
    });
    if (!table.classList.contains("filterable")) return;
    const input = document.createElement("input");
    input.type = "search";
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase();
      Array.from(table.tBodies[0].rows).forEach((row) => {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
      });
    });
    control("Show rows with", input, table.closest(".wide"));
  });
  document.querySelectorAll(".switch").forEach((group) => {
    const panels = Array.from(group.children);
    const select = document.createElement("select");
    panels.forEach((panel) => select.add(new Option(panel.dataset.title)));
    function show() {
      panels.forEach((panel, index) => { panel.hidden = index !== select.selectedIndex; });
    }
    select.addEventListener("change", show);
    control(group.dataset.name, select, panels[0]);
    group.classList.add("ready");
    show();
  });
  document.querySelectorAll("audio").forEach((player) => {
    player.addEventListener("play", () => {
      document.querySelectorAll("audio").forEach((other) => {
        if (other !== player) other.pause();
      });
    });
  });
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details:not([open])").forEach((part) => {
      part.open = true;
      part.dataset.printed = "";
    });
  });
  window.addEventListener("afterprint", () => {
    document.querySelectorAll("details[data-printed]").forEach((part) => {
      part.open = false;
      delete part.dataset.printed;
    });
  });
})();
