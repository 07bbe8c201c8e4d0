// Media that did not load is asked for twice more by itself (its link may just have expired; the server may have had too
// many to ask for), then says so and offers to be asked again. Pictures open large, at fit or actual size.
(() => {
  const figure = (element) => element.closest("[data-medium]");
  const FILE = "img, video, audio, iframe";
  const PAUSES = [0, 2000];
  // A frame tells nobody that it stayed empty, so its file is asked for beside it, no further than that it answers.
  const look = async (frame) => {
    const asking = new AbortController();
    let comes = false;
    try {
      const answer = await fetch(frame.src, { mode: "no-cors", cache: "no-store", signal: asking.signal });
      // What another host answers is for the frame only.
      comes = answer.ok || answer.type === "opaque";
      asking.abort();
    } catch { /* Nobody answers. */ }
    if (!comes && frame.isConnected) frame.dispatchEvent(new Event("error"));
  };
  const reload = (element) => {
    const [address, fragment] = element.getAttribute("src").split("#");
    const url = new URL(address, window.location.href);
    url.searchParams.set("again", String(Number(url.searchParams.get("again") || 0) + 1));
    element.src = url.href + (fragment ? `#${fragment}` : "");
    if (element.matches("iframe")) look(element);
  };
  const failed = (box, is) => {
    box.querySelector("[data-failed]").hidden = !is;
    const what = box.querySelector(FILE);
    if (what) (what.closest("a") || what).hidden = is;
  };

  // These events do not bubble, so they are caught on their way down.
  document.addEventListener("error", (event) => {
    const box = event.target.closest && figure(event.target);
    if (!box) return;
    const tried = Number(box.dataset.tried || 0);
    if (tried >= PAUSES.length) {
      failed(box, true);
      return;
    }
    box.dataset.tried = String(tried + 1);
    setTimeout(() => { if (event.target.isConnected) reload(event.target); }, PAUSES[tried]);
  }, true);
  document.addEventListener("click", (event) => {
    const again = event.target.closest("[data-again]");
    if (!again) return;
    const box = figure(again);
    failed(box, false);
    reload(box.querySelector(FILE));
  });
  // A picture may have failed before this script ran.
  document.addEventListener("htmx:load", () => {
    for (const image of document.querySelectorAll("[data-medium]:not([data-tried]) img")) {
      if (image.complete && !image.naturalWidth) image.dispatchEvent(new Event("error"));
    }
    for (const medium of document.querySelectorAll("[data-medium]:not([data-tried]) :is(video, audio)")) {
      if (medium.error) medium.dispatchEvent(new Event("error"));
    }
    for (const frame of document.querySelectorAll("[data-medium]:not([data-asked]) iframe")) {
      figure(frame).dataset.asked = "yes";
      look(frame);
    }
  });

  const zoom = document.getElementById("zoom"), stage = zoom.querySelector("[data-zoom-stage]"), size = zoom.querySelector("[data-zoom-size]");
  const actual = (is) => {
    zoom.classList.toggle("is-actual", is);
    size.setAttribute("aria-pressed", String(is));
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-zoom]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const blur = document.getElementById("blur");
    const image = Object.assign(document.createElement("img"), { src: link.href, alt: link.querySelector("img").alt });
    zoom.classList.toggle("is-blurred", Boolean(blur && blur.checked));
    stage.replaceChildren(image);
    zoom.querySelector("[data-zoom-name]").textContent = link.dataset.name;
    actual(false);
    zoom.showModal();
  });
  for (const control of [stage, size]) control.addEventListener("click", () => actual(!zoom.classList.contains("is-actual")));
})();
