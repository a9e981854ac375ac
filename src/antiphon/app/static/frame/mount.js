// Wait for a page's element: NiceGUI draws it after the scripts are read.

export function whenThere(id, found) {
  const there = document.getElementById(id);
  if (there) {
    found(there);
    return;
  }
  const watch = new MutationObserver(() => {
    const element = document.getElementById(id);
    if (!element) return;
    watch.disconnect();
    found(element);
  });
  watch.observe(document, { childList: true, subtree: true });
}
