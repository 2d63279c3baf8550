// Charts and the planner work without this script too: each has its table. It only makes them easier to read.
"use strict";
for (const part of document.querySelectorAll(".scripted")) part.hidden = false;

// A chart is one stop of the keyboard: arrow keys go from value to value, and what each says stands below the chart.
for (const chart of document.querySelectorAll("svg.chart")) {
  const points = [...chart.querySelectorAll(".point")];
  const reading = document.getElementById(chart.dataset.reading);
  let at = -1;
  const show = (index) => {
    points.forEach((point, i) => point.classList.toggle("on", i === index));
    reading.textContent = index < 0 ? "" : points[index].querySelector("title").textContent;
    at = index;
  };
  chart.setAttribute("tabindex", "0");
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") show(-1);
    if (!step || !points.length) return;
    event.preventDefault();
    show(Math.min(Math.max(at + step, 0), points.length - 1));
  });
  chart.addEventListener("blur", () => show(-1));
  points.forEach((point, i) => point.addEventListener("pointerenter", () => show(i)));
}

// The planner shows the row of its table that the slider stands on: every number is already there, as it is written.
for (const planner of document.querySelectorAll(".planner")) {
  const rows = [...document.querySelectorAll(`[id="${planner.dataset.table}"] tbody tr`)];
  const slider = planner.querySelector("input");
  const figure = planner.querySelector("output");
  const cells = [...planner.querySelectorAll("dd")];
  const show = () => {
    const [first, ...rest] = [...rows[slider.value].children].map((cell) => cell.textContent.trim());
    figure.textContent = first;
    slider.setAttribute("aria-valuetext", first);
    rest.forEach((text, i) => (cells[i].textContent = text));
    rows.forEach((row, i) => row.classList.toggle("on", i === Number(slider.value)));
  };
  slider.addEventListener("input", show);
  show();
}
