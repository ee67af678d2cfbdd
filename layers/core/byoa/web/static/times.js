// Moments as people tell them: how long ago, with the exact time in the reader's own zone on hover.
const steps = [["second", 60], ["minute", 60], ["hour", 24], ["day", 7]];
const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

const told = (moment) => {
  let passed = (moment - Date.now()) / 1000;
  if (passed > 0 && passed < 60) passed = 0;  // clocks differ a little
  for (const [unit, most] of steps) {
    if (Math.abs(passed) < most) return ago.format(Math.round(passed), unit);
    passed /= most;
  }
  return date.format(moment);
};

export const tellTimes = (root) => {
  for (const each of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(each.dateTime);
    const text = told(moment);
    if (each.textContent !== text) each.textContent = text;
    each.title ||= exact.format(moment);
  }
};
