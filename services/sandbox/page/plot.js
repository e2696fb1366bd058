// Values by the second, and plots of them.

const MAX_SECONDS = 900;
/** Kept of one second, for its median and 95th percentile. */
const MAX_VALUES = 2000;

export class Samples {
  constructor() {
    this.begin(0);
  }

  /** Starts again. */
  begin(startMs) {
    this.startMs = startMs;
    this.seconds = [];
    this.paidAt = new Map();
  }

  hasAny() {
    return this.startMs > 0 && this.seconds.length > 0;
  }

  second(ms) {
    const index = Math.floor((ms - this.startMs) / 1000);
    if (this.startMs === 0 || index < 0 || index >= MAX_SECONDS) return null;
    while (this.seconds.length <= index) this.seconds.push({ paid: 0, notified: 0, answers: [], notifications: [] });
    return this.seconds[index];
  }

  add(events) {
    for (const event of events) {
      const second = this.second(event.at_ms);
      if (!second) continue;
      if (event.took_ms !== undefined && second.answers.length < MAX_VALUES) second.answers.push(event.took_ms);
      if (event.stage === 'complete' && event.ok) {
        second.paid += 1;
        this.paidAt.set(event.order_id, event.at_ms);
      }
      if (event.stage === 'telegram' && event.ok && event.facts?.chat_id > 0 && this.paidAt.has(event.order_id)) {
        second.notified += 1;
        second.notifications.push((event.at_ms - this.paidAt.get(event.order_id)) / 1000);
        this.paidAt.delete(event.order_id);
      }
    }
  }

  rates() {
    return [this.seconds.map((second) => second.paid), this.seconds.map((second) => second.notified)];
  }

  answers() {
    return [0.5, 0.95].map((part) => this.seconds.map((second) => quantile(second.answers, part)));
  }

  notifications() {
    return [0.5, 0.95].map((part) => this.seconds.map((second) => quantile(second.notifications, part)));
  }
}

function quantile(values, part) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

/** Draws lines over seconds; a null is skipped. */
export function drawPlot(canvas, title, names, lines) {
  const figure = canvas.closest('figure');
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (width === 0) return;
  figure.querySelector('b').textContent = title;
  const style = getComputedStyle(canvas);
  const colours = [style.getPropertyValue('--line-1'), style.getPropertyValue('--line-2')];
  legend(figure.querySelector('.legend'), names, lines);
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  const pen = canvas.getContext('2d');
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  const seconds = Math.max(10, lines[0].length);
  const top = roundUp(Math.max(1, ...lines.flat().filter((value) => value !== null)));
  const x = (index) => 34 + (index / (seconds - 1)) * (width - 40);
  const y = (value) => height - 16 - (value / top) * (height - 24);
  grid(pen, style, { width, height, seconds, top, x, y });
  lines.forEach((line, number) => {
    pen.strokeStyle = colours[number];
    pen.lineWidth = 2;
    pen.lineJoin = 'round';
    pen.beginPath();
    let begun = false;
    line.forEach((value, index) => {
      if (value === null) return;
      if (begun) pen.lineTo(x(index), y(value));
      else pen.moveTo(x(index), y(value));
      begun = true;
    });
    pen.stroke();
  });
  const said = names.map((name, number) => `${name} ${peak(lines[number])}`).join(', ');
  canvas.setAttribute('aria-label', `${title}: ${said}`);
}

function grid(pen, style, { width, height, seconds, top, x, y }) {
  pen.strokeStyle = style.getPropertyValue('--grid');
  pen.fillStyle = style.getPropertyValue('--quiet');
  pen.font = `11px ${style.fontFamily}`;
  pen.lineWidth = 1;
  pen.textAlign = 'right';
  for (const part of [0, 0.5, 1]) {
    pen.beginPath();
    pen.moveTo(34, y(top * part));
    pen.lineTo(width - 6, y(top * part));
    pen.stroke();
    pen.fillText(short(top * part), 30, y(top * part) + 4);
  }
  pen.textAlign = 'center';
  for (const part of [0, 0.5, 1]) pen.fillText(`${Math.round((seconds - 1) * part)} s`, Math.min(x((seconds - 1) * part), width - 14), height - 3);
}

function legend(place, names, lines) {
  const text = names.map((name, number) => `${name} ${latest(lines[number])}`);
  if (place.children.length !== names.length) {
    place.replaceChildren(...names.map(() => document.createElement('span')));
  }
  [...place.children].forEach((part, number) => {
    part.className = `key-${number + 1}`;
    if (part.textContent !== text[number]) part.textContent = text[number];
  });
}

const latest = (line) => short(line.findLast((value) => value !== null) ?? 0);
const peak = (line) => short(Math.max(0, ...line.filter((value) => value !== null)));
const short = (value) => (value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1));

/** The next of 1, 2, 5, 10, 20, … */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}
