/* What the page does in the browser: passages and cards find each other, filters, copy and save, files dropped on the
   notes. Nothing is fetched; the notes are kept for a reload in this tab's session storage and nowhere else. */
(() => {
  "use strict";
  const NOTES = "unheard.notes", DONE = "unheard.reviewed", MARKS = "unheard.marks", KEPT = "unheard.kept";
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  const behaviour = () => (calm() ? "auto" : "smooth");
  const ids = element => (element.dataset.ids || element.dataset.id || "").split(" ").filter(Boolean);
  const store = (key, value) => {
    // A browser may refuse (private mode, full): then a reload simply starts afresh.
    try { value ? sessionStorage.setItem(key, value) : sessionStorage.removeItem(key); } catch { /* nothing to do */ }
  };
  const stored = key => { try { return sessionStorage.getItem(key) || ""; } catch { return ""; } };

  window.unheard = {
    recall: () => [stored(NOTES), stored(DONE) === "yes", stored(MARKS), stored(KEPT)],
    keep: text => {
      if (text !== stored(NOTES)) { store(MARKS, ""); store(KEPT, ""); }
      store(NOTES, text);
    },
    reviewed: html => { store(DONE, html ? "yes" : ""); },
    acts,
  };

  // A button or form with data-act tells Python what happened, with its data and the fields of its form.
  function acts(element, trigger, names) {
    const tell = source => {
      const form = source.closest("form");
      const fields = {};
      // Several boxes of one name come as lines of one value.
      if (form) for (const [name, value] of new FormData(form)) fields[name] = name in fields ? `${fields[name]}\n${value}` : value;
      if (!names.includes(source.dataset.act)) return;
      if (source.tagName === "BUTTON") source.classList.add("waiting");
      trigger(source.dataset.act, { ...source.dataset, ...fields, pressed: source.getAttribute("aria-pressed") || "" });
    };
    let soon;
    element.addEventListener("click", event => {
      const source = event.target.closest("[data-act]");
      if (source && source.tagName !== "FORM") tell(source);
    });
    element.addEventListener("submit", event => { event.preventDefault(); clearTimeout(soon); tell(event.target); if ("clear" in event.target.dataset) event.target.reset(); });
    element.addEventListener("input", event => {
      const form = event.target.closest("form[data-live]");
      clearTimeout(soon);
      if (form) soon = setTimeout(() => tell(form), 180);
    });
  }

  // The server takes no more than it can do: then it says so in our words, and nothing that was typed is lost.
  const asked = window.fetch;
  window.fetch = async (...request) => {
    const answer = await asked(...request);
    if (answer.status === 503 && String(request[0]?.url || request[0]).includes("/queue/join")) busy();
    return answer;
  };
  let calmer;
  function busy() {
    const line = document.querySelector("[data-busy]");
    if (!line) return;
    line.hidden = false;
    line.textContent = line.dataset.busy;
    clearTimeout(calmer);
    calmer = setTimeout(() => { line.hidden = true; line.textContent = ""; }, 15000);
  }

  const say = (root, text) => {
    const line = (root.closest(".uh") || document).querySelector("[data-say]");
    if (line) { line.textContent = ""; setTimeout(() => { line.textContent = text; }, 50); }
  };

  function light(result, wanted) {
    for (const element of result.querySelectorAll(".lit")) element.classList.remove("lit");
    for (const element of result.querySelectorAll("[data-ids],[data-id]"))
      if (ids(element).some(id => wanted.includes(id))) element.classList.add("lit");
  }

  function bring(element) {
    const pane = element.closest(".notes");
    // On a wide page the notes scroll in their own pane, and the page itself stays where the reader is.
    if (pane && pane.scrollHeight > pane.clientHeight + 1 && getComputedStyle(pane).overflowY !== "visible") {
      const top = element.getBoundingClientRect().top - pane.getBoundingClientRect().top + pane.scrollTop;
      pane.scrollTo({ top: top - pane.clientHeight / 3, behavior: behaviour() });
      const box = pane.getBoundingClientRect();
      if (box.bottom > 80 && box.top < innerHeight - 80) return;
    }
    element.scrollIntoView({ block: "center", behavior: behaviour() });
  }

  function toPassage(result, id) {
    const mark = result.querySelector(`#mark-${CSS.escape(id)}`) || result.querySelector(`.mark[data-ids~="${CSS.escape(id)}"]`);
    if (!mark) return;
    light(result, [id]);
    bring(mark);
    mark.focus({ preventScroll: true });
  }

  function toCard(result, id) {
    const card = result.querySelector(`#card-${CSS.escape(id)}`);
    if (!card) return;
    if (card.classList.contains("filtered")) show(result, "all");
    const fold = card.closest("details");
    if (fold) fold.open = true;
    light(result, [id]);
    bring(card);
    card.querySelector(".quote").focus({ preventScroll: true });
  }

  function show(result, kind) {
    for (const chip of result.querySelectorAll(".chip")) chip.setAttribute("aria-pressed", String(chip.dataset.show === kind));
    for (const card of result.querySelectorAll(".card")) card.classList.toggle("filtered", kind !== "all" && card.dataset.kind !== kind);
    for (const mark of result.querySelectorAll(".mark"))
      mark.classList.toggle("filtered", kind !== "all" && !mark.dataset.kinds.split(" ").includes(kind));
    const looks = result.querySelector("details.looks");
    if (looks) looks.hidden = !looks.querySelector(".card:not(.filtered)");
  }

  async function copy(button) {
    const from = button.dataset.copyFrom;
    const seen = button.dataset.copyText;
    const text = seen ? document.getElementById(seen).innerText : from ? document.getElementById(from).textContent : button.dataset.copy;
    const line = button.closest(".uh").querySelector("[data-say]");
    let done = true;
    try { await navigator.clipboard.writeText(text); } catch { done = byHand(text); }
    const told = done ? line.dataset.copied : line.dataset.notCopied;
    say(button, told);
    button.dataset.told = told;
    setTimeout(() => { delete button.dataset.told; }, 1800);
  }

  function byHand(text) {
    // Pages on a plain http address of the local network have no clipboard; the old way still works there.
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }

  function save(button) {
    const blob = new Blob([document.getElementById(button.dataset.from).textContent], { type: button.dataset.type });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: button.dataset.name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    say(button, button.closest(".uh").querySelector("[data-say]").dataset.downloaded);
  }

  // A change to the opening is taken or given back like a spelling suggestion.
  function accept(button) {
    const change = document.getElementById(button.dataset.change);
    const taken = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(taken));
    change.querySelector(".old").hidden = taken;
    change.querySelector(".new").hidden = !taken;
  }

  // What stands in a form that keeps itself is there again after a reload, in this tab only.
  document.addEventListener("input", event => {
    const form = event.target.closest?.("form[data-keep]");
    if (!form) return;
    const fields = [...form.elements].filter(e => e.name).map(e => [e.name, e.value, e.checked]);
    store(`unheard.form.${form.dataset.keep}`, JSON.stringify(fields));
  });
  function refill(form) {
    form.dataset.met = "yes";
    if ([...form.elements].some(e => e.name && (e.type === "radio" || e.type === "checkbox" ? e.checked : e.value))) return;
    for (const [name, value, checked] of JSON.parse(stored(`unheard.form.${form.dataset.keep}`) || "[]"))
      for (const element of form.elements)
        if (element.name === name)
          if (element.type === "radio" || element.type === "checkbox") { if (element.value === value) element.checked = checked; }
          else element.value = value;
  }

  document.addEventListener("click", event => {
    const result = event.target.closest(".uh.result");
    const near = selector => event.target.closest(selector);
    if (near("a.to-turn")) {
      event.preventDefault();
      const turn = document.querySelector(near("a.to-turn").getAttribute("href"));
      if (!turn) return;
      for (let fold = turn.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
      return turn.scrollIntoView({ block: "center", behavior: behaviour() });
    }
    if (near(".accept")) return accept(near(".accept"));
    if (near(".print")) return window.print();
    if (near(".copy")) return void copy(near(".copy"));
    if (near(".download")) return save(near(".download"));
    if (!result) return;
    if (near("a.pin")) { event.preventDefault(); return toCard(result, near("a.pin").dataset.card); }
    const mark = near("a.mark"), card = near(".card"), chip = near(".chip"), person = near("a.person");
    if (mark) { event.preventDefault(); toCard(result, ids(mark)[0]); }
    else if (chip) show(result, chip.dataset.show);
    else if (person) {
      event.preventDefault();
      const someone = result.querySelector(person.getAttribute("href"));
      someone.scrollIntoView({ block: "nearest", behavior: behaviour() });
      someone.focus({ preventScroll: true });
    } else if (near("a.quote")) { event.preventDefault(); toPassage(result, card.dataset.id); }
    else if (card && !near("button, a, summary, details") && !String(getSelection())) {
      light(result, ids(card));
      const passage = result.querySelector(`#mark-${CSS.escape(card.dataset.id)}`);
      if (passage) bring(passage);
    }
  });

  for (const kind of ["pointerover", "focusin"])
    document.addEventListener(kind, event => {
      const over = event.target.closest?.(".uh.result .mark, .uh.result .card");
      if (over) light(over.closest(".uh.result"), ids(over));
    });

  // A file dropped anywhere on the compose box goes the way of the button.
  const target = event => (event.dataTransfer?.types?.includes("Files") ? event.target.closest?.("#compose") : null);
  document.addEventListener("dragover", event => {
    const box = target(event);
    document.getElementById("compose")?.classList.toggle("dropping", Boolean(box));
    if (box) event.preventDefault();
  });
  document.addEventListener("dragleave", event => { if (!event.relatedTarget) document.getElementById("compose")?.classList.remove("dropping"); });
  document.addEventListener("drop", event => {
    const box = target(event);
    document.getElementById("compose")?.classList.remove("dropping");
    if (!box) return;
    event.preventDefault();
    const input = document.querySelector("#compose input[type=file]");
    const files = new DataTransfer();
    files.items.add(event.dataTransfer.files[0]);
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // A card shows the mark that Python has taken, and shows it again after a reload of this tab.
  const marks = () => JSON.parse(stored(MARKS) || "{}");
  function showMark(finding, mark) {
    for (const button of document.querySelectorAll(`.marks [data-id="${CSS.escape(finding)}"]`)) {
      button.setAttribute("aria-pressed", String(button.dataset.mark === mark));
    }
  }

  // What comes and goes as a whole is read out by a line that stays; a screen reader would miss it otherwise.
  function speak(text) {
    const line = document.getElementById("spoken");
    if (line && line.textContent !== text) line.textContent = text;
  }

  // A practice is drawn anew with each word: the reader stays at its end, and writes on when the reply is there.
  let practice = "";
  function converse() {
    const room = document.querySelector(".uh.practice");
    if (!room || room.dataset.met) { if (!room) practice = ""; return; }
    room.dataset.met = "yes";
    if (room.dataset.practice !== practice) {
      practice = room.dataset.practice;
      room.scrollIntoView({ block: "start", behavior: behaviour() });
      document.getElementById("practice-title").focus({ preventScroll: true });
      return;
    }
    const box = room.querySelector(".reply textarea"), last = room.querySelector(".talk > .chat > li:last-child");
    if (box && !box.disabled) {
      speak(room.querySelector(".nudge")?.textContent || last?.textContent || "");
      box.focus({ preventScroll: true });
      box.form.scrollIntoView({ block: "nearest", behavior: behaviour() });
    } else last?.scrollIntoView({ block: "nearest", behavior: "auto" });
  }

  // Gradio mends a region in place and takes away attributes of ours, so what was met is remembered here, by what its
  // header says: a heading is new again when it stands over something else.
  const met = new WeakMap();
  function isNew(heading) {
    if (!heading) return false;
    const says = (heading.closest("header") || heading).textContent;
    if (met.get(heading) === says) return false;
    met.set(heading, says);
    return true;
  }

  // Move the reader to what is new: a finished review, its heading first.
  const arrived = new MutationObserver(() => {
    for (const button of document.querySelectorAll(".waiting")) button.classList.remove("waiting");
    for (const told of document.querySelectorAll(".toast:not([data-met])")) {
      const { finding, mark } = told.dataset;
      told.dataset.met = "yes";
      for (const motion of told.getAnimations()) { motion.cancel(); motion.play(); }
      if (!finding) continue;
      showMark(finding, mark);
      store(MARKS, JSON.stringify({ ...marks(), [finding]: mark }));
    }
    const kept = document.querySelector("[data-kept]");
    if (kept) store(KEPT, kept.dataset.kept);
    for (const form of document.querySelectorAll("form[data-keep]:not([data-met])")) refill(form);
    for (const line of document.querySelectorAll("[data-spoken]:not([data-met])")) { line.dataset.met = "yes"; speak(line.textContent); }
    for (const id of ["result-title", "brief-title"]) {
      const heading = document.getElementById(id);
      if (!isNew(heading)) continue;
      if (id === "result-title") for (const [finding, mark] of Object.entries(marks())) showMark(finding, mark);
      window.scrollTo({ top: 0 });
      heading.focus({ preventScroll: true });
    }
    converse();
    for (const id of ["debrief-title", "verdict-title", "heard-title", "keeping-title"]) {
      const heading = document.getElementById(id);
      if (!isNew(heading)) continue;
      heading.closest(".uh").scrollIntoView({ block: "start", behavior: behaviour() });
      heading.focus({ preventScroll: true });
    }
    const meeting = document.getElementById("meeting-title");
    const opened = meeting?.closest(".meeting").dataset.meeting;
    if (meeting && met.get(meeting) !== opened) {
      met.set(meeting, opened);
      meeting.closest(".meeting").scrollIntoView({ block: "start", behavior: behaviour() });
      meeting.focus({ preventScroll: true });
      const here = document.getElementById("here"), pane = here?.closest(".notes");
      if (here) pane.scrollTo({ top: here.offsetTop - pane.offsetTop - 60 });
    }
  });
  arrived.observe(document.documentElement, {
    childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["data-finding", "data-mark", "data-practice", "disabled"],
  });
})();
