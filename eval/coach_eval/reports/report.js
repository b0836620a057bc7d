const show = document.getElementById("show"), search = document.getElementById("search");
function filter() {
  const words = search.value.toLowerCase();
  for (const row of document.querySelectorAll("tr.case")) {
    const fits = show.value === "all" || row.dataset[show.value] === "1";
    row.hidden = !(fits && row.textContent.toLowerCase().includes(words));
  }
}
show.addEventListener("change", filter); search.addEventListener("input", filter);
