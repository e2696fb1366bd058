// A list of any length; only its visible rows are in the document.

import { eachFrame, h } from './dom.js';

const ROW_PX = 28;
const BEYOND = 6;

/** `row(item)` creates a row's content; `choose(item)` is called on a click or Enter. */
export class WindowedList {
  constructor(place, { label, row, choose, id }) {
    Object.assign(this, { row, choose, id, items: [], active: -1 });
    this.inner = h('div', { class: 'windowed-inner' });
    this.box = h('div', { class: 'windowed', role: 'listbox', tabindex: '0', 'aria-label': label }, this.inner);
    place.replaceChildren(this.box);
    this.draw = eachFrame(() => this.drawNow());
    this.box.addEventListener('scroll', this.draw, { passive: true });
    this.box.addEventListener('keydown', (event) => this.onKey(event));
    this.inner.addEventListener('click', (event) => {
      const row = event.target.closest('[data-index]');
      if (!row) return;
      this.active = Number(row.dataset.index);
      this.draw();
      this.choose(this.items[this.active]);
    });
    new ResizeObserver(this.draw).observe(this.box);
  }

  /** Replaces the items, and stays scrolled to the end if it was there. */
  set(items) {
    const { scrollTop, clientHeight, scrollHeight } = this.box;
    this.isAtEnd = scrollHeight - scrollTop - clientHeight < ROW_PX * 2;
    const kept = this.items[this.active];
    this.items = items;
    if (kept && items[this.active] !== kept) this.active = items.indexOf(kept);
    this.draw();
  }

  drawNow() {
    const { items, box, inner } = this;
    const height = `${items.length * ROW_PX}px`;
    if (inner.style.height !== height) inner.style.height = height;
    if (this.isAtEnd) box.scrollTop = box.scrollHeight;
    this.isAtEnd = false;
    const first = Math.max(0, Math.floor(box.scrollTop / ROW_PX) - BEYOND);
    const last = Math.min(items.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW_PX) + BEYOND);
    const rows = [];
    for (let index = first; index < last; index += 1) rows.push(this.rowOf(index));
    inner.replaceChildren(...rows);
    if (this.active >= first && this.active < last) box.setAttribute('aria-activedescendant', `${this.id}-${this.active}`);
    else box.removeAttribute('aria-activedescendant');
  }

  rowOf(index) {
    const item = this.items[index];
    const isActive = index === this.active;
    const row = h('div', {
      class: `windowed-row${isActive ? ' active' : ''}${item.ok ? '' : ' bad'}`, role: 'option', id: `${this.id}-${index}`,
      'data-index': String(index), 'aria-selected': String(isActive),
      'aria-setsize': String(this.items.length), 'aria-posinset': String(index + 1),
    }, ...this.row(item));
    row.style.top = `${index * ROW_PX}px`;
    return row;
  }

  onKey(event) {
    const page = Math.floor(this.box.clientHeight / ROW_PX);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key === 'Enter' && this.items[this.active]) this.choose(this.items[this.active]);
    if (!(event.key in steps) || this.items.length === 0) return;
    event.preventDefault();
    const from = this.active < 0 ? this.items.length : this.active;
    this.active = Math.min(this.items.length - 1, Math.max(0, from + steps[event.key]));
    const top = this.active * ROW_PX;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    if (top + ROW_PX > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = top + ROW_PX - this.box.clientHeight;
    this.draw();
  }
}
