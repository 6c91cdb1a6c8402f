// Small behaviours, each attached by a data- attribute; every page works without them.

// data-copy-focus: after htmx swaps a form, the field that had the focus has it again, at the same place.
let focused = null;
document.addEventListener("htmx:beforeSwap", () => {
  const field = document.activeElement;
  focused = field && field.id ? { id: field.id, at: field.selectionStart } : null;
});
document.addEventListener("htmx:afterSwap", () => {
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

// data-ready: the field of the gate always has the focus, for scanners that type.
document.querySelector("[data-ready]")?.focus();
