// The home page's filter: one subject and one architecture at a time, kept in the address.
{
  const form = document.querySelector(".folio-filter");
  const entries = [...document.querySelectorAll(".folio-entry")];

  const show = () => {
    const chosen = [...new FormData(form)].filter(([, value]) => value);
    let shown = 0;
    for (const entry of entries) {
      entry.hidden = !chosen.every(([name, value]) => entry.dataset[name].split("|").includes(value));
      shown += !entry.hidden;
    }
    form.querySelector("output").textContent = chosen.length ? `${shown} of ${entries.length} projects` : "";
    return chosen;
  };

  if (form) {
    for (const [name, value] of new URLSearchParams(location.search)) {
      for (const input of form.querySelectorAll("input")) {
        if (input.name === name && input.value === value) input.checked = true;
      }
    }
    form.addEventListener("change", () => {
      const address = new URL(location);
      address.search = new URLSearchParams(show());
      history.replaceState(history.state, "", address);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    show();
  }
}
