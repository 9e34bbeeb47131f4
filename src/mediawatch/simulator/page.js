// Shows times in the reader's own zone, and looks every few seconds for new posts.
const localTimes = (root) => {
  for (const time of root.querySelectorAll("time")) {
    time.title = time.textContent;
    time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  }
};

const refresh = async () => {
  if (document.hidden) return;
  try {
    const text = await (await fetch(location.href)).text();
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("main");
    const shown = document.querySelector("main");
    if (fresh.dataset.count !== shown.dataset.count) {
      localTimes(fresh);
      shown.replaceWith(fresh);
    }
  } catch {
    // The simulator has stopped: what was seen stays in view.
  }
};

localTimes(document);
if (location.pathname === "/") setInterval(refresh, 3000);
