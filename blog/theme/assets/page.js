// What a page needs a script for: copying code, moving wide parts by keyboard, naming Material's search results.
{
  const copyable = (block) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "folio-copy";
    button.textContent = "copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(block.textContent);
        button.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(block); // where a page may not write to the clipboard
        button.textContent = "selected";
      }
      setTimeout(() => { button.textContent = "copy"; }, 2000);
    });
    block.parentElement.append(button);
  };

  // What is wider than the screen can be reached, and then moved with the arrow keys.
  const reachable = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });

  // Each result with tags would be a landmark of its own, all of the same name.
  const results = new MutationObserver(() => {
    for (const tags of document.querySelectorAll(".md-search-result nav")) tags.setAttribute("role", "presentation");
  });

  addEventListener("load", () => { // Material wraps tables before
    document.querySelectorAll(".highlight pre > code").forEach(copyable);
    for (const part of document.querySelectorAll(".md-typeset__scrollwrap, .folio-formula, .folio-picture")) {
      reachable.observe(part);
    }
    const list = document.querySelector(".md-search-result__list");
    if (list) results.observe(list, { childList: true, subtree: true });
  });
}
