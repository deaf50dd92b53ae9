"use strict";
const bar = document.querySelector(".filters");
const search = bar.querySelector("input[type=search]");
const boxes = [...bar.querySelectorAll("input[type=checkbox]")];
bar.hidden = false;
bar.addEventListener("input", () => {
  const wanted = search.value.toLowerCase();
  const groups = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  for (const group of document.querySelectorAll(".group")) {
    let shown = 0;
    for (const row of group.querySelectorAll("tr")) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    group.hidden = !groups.has(group.dataset.group) || shown === 0;
  }
});
