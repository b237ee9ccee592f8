// Renews the page while work is under way: the same page is asked for again,
// and its content put in place of what is shown. Whatever is unfolded stays
// so, and nothing moves under a reader who selects text.
"use strict";
(() => {
  let tag = "";
  const key = (d) => d.dataset.key;

  async function renew() {
    const main = document.getElementById("main");
    let wait = Number(main.dataset.live) * 1000;
    const selection = document.getSelection();
    if (document.hidden || (selection && !selection.isCollapsed)) {
      setTimeout(renew, 1000);
      return;
    }
    try {
      const answer = await fetch(location.href, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
      if (answer.status === 200) {
        tag = answer.headers.get("ETag") || "";
        const next = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = next.getElementById("main");
        const open = new Map([...main.querySelectorAll("details[data-key]")].map((d) => [key(d), d.open]));
        for (const d of fresh.querySelectorAll("details[data-key]")) {
          if (open.has(key(d))) d.open = open.get(key(d));
        }
        const scrolled = new Map([...main.querySelectorAll("pre")].map((p, i) => [i, [p.scrollTop, p.scrollLeft]]));
        const log = main.querySelector("pre[data-follow]");
        const atEnd = !log || log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
        document.title = next.title;
        main.replaceWith(document.adoptNode(fresh));
        fresh.querySelectorAll("pre").forEach((p, i) => {
          if (scrolled.has(i)) [p.scrollTop, p.scrollLeft] = scrolled.get(i);
        });
        // A log that grows is followed by whoever is at its end.
        const grown = fresh.querySelector("pre.log");
        if (grown && (grown.hasAttribute("data-follow") || log) && atEnd) grown.scrollTop = grown.scrollHeight;
        wait = Number(fresh.dataset.live) * 1000;
      }
      document.getElementById("stale").hidden = answer.status === 200 || answer.status === 304;
    } catch {
      document.getElementById("stale").hidden = false;
      wait = Math.max(wait, 5000);
    }
    if (wait) setTimeout(renew, wait);
  }

  const log = document.querySelector("pre[data-follow]");
  if (log) log.scrollTop = log.scrollHeight;
  setTimeout(renew, Number(document.getElementById("main").dataset.live) * 1000);
})();
