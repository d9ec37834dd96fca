// Small comforts; every page works without this file.
"use strict";

// Copy buttons appear only where copying works.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const words = button.querySelector("span");
      const before = words.textContent;
      words.textContent = button.dataset.done;
      words.setAttribute("role", "status");
      setTimeout(() => { words.textContent = before; }, 2000);
    });
  }
}

// Times are sent in UTC; where there is script they are shown in the reader's own zone.
for (const time of document.querySelectorAll("time[datetime]")) {
  const parts = /, \d\d:\d\d(:\d\d)? UTC$/.exec(time.textContent);
  if (!parts) continue;
  const style = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (parts[1]) style.second = "2-digit";
  time.title = time.textContent;
  time.textContent = new Intl.DateTimeFormat(document.documentElement.lang === "nl" ? "nl" : "en-GB", style).format(new Date(time.dateTime));
}

// A form that only carries an answer onward sends itself.
for (const form of document.querySelectorAll("form[data-submit]")) form.submit();

// "7 of 9 chosen" beside the decision follows the tick boxes.
for (const summary of document.querySelectorAll("[data-chosen]")) {
  const form = summary.closest("form");
  const show = () => {
    const boxes = [...form.querySelectorAll(".scope-line > .tick > input[name=scope]")];
    const chosen = boxes.filter((box) => box.checked).length;
    summary.textContent = summary.dataset.chosen.replace("{chosen}", chosen).replace("{all}", boxes.length);
  };
  form.addEventListener("change", show);
  show();
}

// A form is sent once, however often a tired hand clicks.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
// Coming back with the browser's back button makes forms usable again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
