/* What the pages gain from a script. Each page works without it; nothing here holds a rule. */
"use strict";

(() => {
  const live = () => document.getElementById("live");
  const isTyping = (el) => el.closest("input, select, textarea, [contenteditable]") !== null;

  /* Keys: / search, j and k rows, o open, ? help. */

  const rowLinks = () => [...document.querySelectorAll(".row-link")];

  function moveRow(step) {
    const links = rowLinks();
    const here = links.findIndex((link) => link.closest("tr")?.contains(document.activeElement));
    const next = here < 0 ? 0 : Math.min(Math.max(here + step, 0), links.length - 1);
    links[next]?.focus();
  }

  const keys = {
    "/": () => {
      const field = document.querySelector("search input");
      field?.focus();
      field?.select();
    },
    j: () => moveRow(1),
    k: () => moveRow(-1),
    o: () => document.activeElement?.closest("tr")?.querySelector(".row-link")?.click(),
    "?": () => document.getElementById("help")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const action = keys[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  /* Copying needs a script and a safe origin; the button shows only where both are there. */

  function showCopyButtons(root) {
    if (!navigator.clipboard) return;
    root.querySelectorAll("[data-copy]").forEach((button) => (button.hidden = false));
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
    live().textContent = "Copied";
  });

  /* A toast goes by its cross; the focus goes to the page, not to nowhere. */

  document.addEventListener("click", (event) => {
    const cross = event.target.closest("[data-close]");
    if (!cross) return;
    cross.closest(".toast").remove();
    document.getElementById("main")?.focus({ preventScroll: true });
  });

  /* A list that floats closes by Escape or by a press elsewhere, as a select does. */

  function closeSwitcher(event) {
    const open = document.querySelector(".switcher[open]");
    if (!open || (event.type === "click" && open.contains(event.target))) return;
    if (event.type === "keydown" && event.key !== "Escape") return;
    open.open = false;
    if (event.type === "keydown") open.querySelector("summary").focus();
  }

  document.addEventListener("click", closeSwitcher);
  document.addEventListener("keydown", closeSwitcher);

  /* Swaps may have changed the address since the frame was drawn: come back to the one shown. */
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-here]")) {
      event.target.elements.next.value = location.pathname + location.search;
    }
  });

  /* Fragments. */

  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.verb !== "get") return;
    // An empty field is no filter: it stays out of the address.
    for (const [name, value] of [...detail.formData.entries()]) {
      if (value === "") detail.formData.delete(name);
    }
  });

  const waits = new WeakMap();

  /* What asks again by itself takes no toast away, shows no waiting, and moves no focus. */
  const isPressed = (detail) => Boolean(detail.requestConfig?.triggeringEvent);

  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (!isPressed(detail)) return;
    document.getElementById("toasts")?.replaceChildren();
    const target = detail.target;
    clearTimeout(waits.get(target));
    waits.set(target, setTimeout(() => {
      target.classList.add("is-waiting");
      live().textContent = "Loading";
    }, 300));
  });

  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    clearTimeout(waits.get(detail.target));
    detail.target.classList.remove("is-waiting");
  });

  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    const target = detail.target;
    showCopyButtons(target);
    const words = target.querySelector("[data-announce]");
    if (words) live().textContent = words.textContent.trim();
    if (!isPressed(detail)) return;
    const fault = target.querySelector("[aria-invalid=true]");
    if (fault) fault.focus();
    // htmx keeps the focus on what has the same id; what is gone leaves it to the region.
    else if (document.activeElement === document.body) target.focus({ preventScroll: true });
  });

  /* A row opens beside its list where there is room; else, or in a new tab, as a page. */

  const narrow = matchMedia("(width < 70rem)");

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[hx-target='#beside']");
    if (!link) return;
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
    if (elsewhere || narrow.matches) event.stopImmediatePropagation(); // before htmx hears it
  }, true);

  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id !== "beside") return;
    rowLinks().forEach((link) => link.removeAttribute("aria-current"));
    detail.requestConfig.elt.setAttribute("aria-current", "true");
    detail.target.scrollTop = 0;
  });

  /* Buttons for chosen rows say how many they are about. */

  document.addEventListener("change", ({ target }) => {
    const form = target.closest(".chooses");
    if (!form) return;
    const count = form.querySelectorAll("[name=ids]:checked").length;
    form.querySelector("[data-chosen]").textContent = `${count} selected`;
    form.querySelectorAll("[data-words]").forEach((button) => {
      button.textContent = `${button.dataset.words} ${count} ${count === 1 ? "memory" : "memories"}`;
    });
  });

  /* A refusal that comes as a page says why in its title and its first sentence. */
  function reasonOf(xhr) {
    if (!xhr || xhr.status >= 500) return "";
    if (!(xhr.getResponseHeader("Content-Type") ?? "").startsWith("text/html")) return "";
    const answer = new DOMParser().parseFromString(xhr.responseText, "text/html");
    const said = [answer.querySelector("h1"), answer.querySelector(".head p, .purpose")];
    return said.map((el) => el?.textContent.trim()).filter(Boolean).join(". ");
  }

  function sayFailed({ detail }) {
    const words = document.getElementById("failed")?.content.cloneNode(true);
    if (!words) return;
    const reason = reasonOf(detail.xhr);
    if (reason) words.querySelector("[data-reason]").textContent = reason;
    document.getElementById("toasts").replaceChildren(words);
  }

  document.addEventListener("htmx:responseError", sayFailed);
  document.addEventListener("htmx:sendError", sayFailed);
  document.addEventListener("htmx:timeout", sayFailed);

  showCopyButtons(document);
})();
