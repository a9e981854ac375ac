// Numbers in words.

export const number = (n) => Number(n).toLocaleString("en-GB");

export const plural = (n, word) => `${number(n)} ${word}${n === 1 ? "" : "s"}`;

// A share with its interval: 0.61 [0.52, 0.70].
export function measured(one) {
  if (!one || one.value === null) return "–";
  const value = one.value.toFixed(2);
  return one.low === null || one.high === null ? value : `${value} [${one.low.toFixed(2)}, ${one.high.toFixed(2)}]`;
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const took = (seconds) => (seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds));

export function when(text) {
  const time = new Date(text);
  const today = time.toDateString() === new Date().toDateString();
  const clock = time.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return today ? `today ${clock}` : `${time.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${clock}`;
}
