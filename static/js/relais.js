// Small behaviours, each attached by a data- attribute; every page works without them.

// data-copy-focus: after htmx swaps a form, the field that had the focus has it again, at the same place.
// What was unfolded stays so.
let focused = null;
let unfolded = [];
document.addEventListener("htmx:beforeSwap", () => {
  unfolded = [...document.querySelectorAll("details[id][open]")].map((details) => details.id);
  const field = document.activeElement;
  focused = field && field.id ? { id: field.id, at: field.selectionStart } : null;
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
  const field = focused && document.getElementById(focused.id);
  if (!field || field === document.activeElement) return;
  field.focus({ preventScroll: true });
  if (field.setSelectionRange && focused.at !== null) field.setSelectionRange(focused.at, focused.at);
});

// data-listbox: arrows walk through the buttons under a search field, Escape goes back to it.
document.addEventListener("keydown", (event) => {
  const search = event.target.closest("[data-listbox]");
  const option = event.target.closest("[data-option]");
  if (!search && !option) return;
  const options = [...document.querySelectorAll("[data-option]")];
  const at = options.indexOf(option);
  if (event.key === "ArrowDown" && options.length) {
    event.preventDefault();
    options[Math.min(at + 1, options.length - 1)].focus();
  } else if (event.key === "ArrowUp" && option) {
    event.preventDefault();
    (at > 0 ? options[at - 1] : document.querySelector("[data-listbox]")).focus();
  } else if (event.key === "Escape" && option) {
    document.querySelector("[data-listbox]").focus();
  } else if (event.key === "Enter" && search && options.length) {
    event.preventDefault();
    options[0].click();
  }
});

// data-all: one box ticks all boxes of a name.
document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-all]");
  if (!all) return;
  for (const box of document.querySelectorAll(`input[name="${all.dataset.all}"]`)) box.checked = all.checked;
});

// data-once: a form is sent once; the button pressed says meanwhile what is being done (data-doing).
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-once]");
  if (!form) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  const button = event.submitter;
  if (!button?.dataset.doing) return;
  button.dataset.said = button.textContent;
  button.textContent = button.dataset.doing;
  button.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[data-said]")) {
    button.textContent = button.dataset.said;
    button.removeAttribute("aria-busy");
  }
});

// data-most-bytes: a file that is too large is refused before it is sent (data-too-large says so).
document.addEventListener("change", (event) => {
  const field = event.target.closest("[data-most-bytes]");
  if (!field) return;
  const id = `${field.id}_too_large`;
  document.getElementById(id)?.remove();
  if (!field.files[0] || field.files[0].size <= Number(field.dataset.mostBytes)) return;
  field.value = "";
  field.insertAdjacentHTML("afterend", `<p class="error" role="alert" id="${id}"></p>`);
  document.getElementById(id).textContent = field.dataset.tooLarge;
});

// data-ready: the field of the gate always has the focus, for scanners that type.
document.querySelector("[data-ready]")?.focus();

// A line of places that is longer than a phone is moved so far that the place where the person stands is seen.
for (const here of document.querySelectorAll(":is(.places, .filters) [aria-current]")) {
  const line = here.parentElement;
  line.scrollLeft = here.offsetLeft + here.offsetWidth - line.offsetLeft - line.clientWidth + 20;
}
