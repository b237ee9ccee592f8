// Keeps the page as it is now: waits for something to happen, fetches the page
// again and swaps its main part, leaving open what the reader has opened.
(async () => {
  const main = () => document.getElementById("live");
  for (;;) {
    try {
      const since = main().dataset.version;
      const version = await (await fetch(main().dataset.watch + "?since=" + since)).text();
      if (Number(version) <= Number(since)) continue;
      const next = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html").getElementById("live");
      const key = (d) => (d.closest("[data-item]")?.dataset.item ?? "") + "|" + (d.querySelector("summary")?.textContent ?? "").slice(0, 60);
      const toggled = new Map([...main().querySelectorAll("details")].map((d) => [key(d), d.open]));
      next.querySelectorAll("details").forEach((d) => { if (toggled.get(key(d))) d.open = true; });
      if (next.innerHTML !== main().innerHTML) main().replaceWith(document.adoptNode(next));
      else main().dataset.version = next.dataset.version;
      await new Promise((r) => setTimeout(r, 250));
    } catch {
      await new Promise((r) => setTimeout(r, 1500));
    }
  }
})();
