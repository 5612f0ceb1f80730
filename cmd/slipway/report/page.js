/* The report page: zoom, search, paths through the graph. All of the page is there without
 * it. Nothing is read but the page itself, and nothing is made of text but text. */
(() => {
  'use strict';
  const by = (id) => document.getElementById(id);
  const all = (q, of) => Array.from((of || document).querySelectorAll(q));

  for (const e of all('.js')) e.hidden = false;

  /* A link to a step opens it. */
  const reveal = () => {
    const e = location.hash.length > 1 && by(decodeURIComponent(location.hash.slice(1)));
    if (e && e.tagName === 'DETAILS') {
      e.hidden = false;
      e.open = true;
      e.scrollIntoView({ block: 'start' });
      e.querySelector('summary').focus({ preventScroll: true });
    }
  };
  addEventListener('hashchange', reveal);
  reveal();
  document.addEventListener('click', (ev) => { /* the same link once more */
    const a = ev.target.closest('a');
    if (a && a.getAttribute('href') === location.hash) reveal();
  });

  /* ---- Zoom: what has its width in data-width is drawn at a multiple of it. */
  const zoom = (box, factor, at) => {
    const svg = box.querySelector('svg');
    if (!svg) return;
    const before = Number(svg.dataset.zoom || 1);
    const now = factor === 0 ? 1 : Math.min(64, Math.max(svg.dataset.width ? 0.02 : 1, before * factor));
    const x = at === undefined ? box.clientWidth / 2 : at;
    const where = (box.scrollLeft + x) / before;
    svg.dataset.zoom = now;
    if (svg.dataset.width) {
      svg.style.width = Number(svg.dataset.width) * now + 'px';
      svg.style.height = Number(svg.dataset.height) * now + 'px';
    } else {
      svg.style.width = 100 * now + '%';
    }
    box.scrollLeft = where * now - x;
  };
  for (const tools of all('[data-zoom]')) {
    const box = by(tools.dataset.zoom);
    if (!box) { tools.hidden = true; continue; }
    for (const b of all('button', tools))
      b.addEventListener('click', () => {
        const svg = box.querySelector('svg');
        if (b.dataset.by !== 'fit')
          zoom(box, { '-1': 1 / 1.5, 0: 0, 1: 1.5 }[b.dataset.by]);
        else
          zoom(box, Math.min(box.clientWidth / svg.dataset.width, 1) / (svg.dataset.zoom || 1));
      });
    box.addEventListener('wheel', (ev) => {
      if (!ev.ctrlKey) return;
      ev.preventDefault();
      zoom(box, ev.deltaY < 0 ? 1.2 : 1 / 1.2, ev.clientX - box.getBoundingClientRect().left);
    }, { passive: false });
    box.addEventListener('keydown', (ev) => {
      const f = { '+': 1.5, '=': 1.5, '-': 1 / 1.5, 0: 0 }[ev.key];
      if (f === undefined || ev.ctrlKey || ev.metaKey) return;
      ev.preventDefault();
      zoom(box, f);
    });
  }

  /* ---- Search */
  const steps = all('details.step');
  const query = by('query'), ranOnly = by('ran-only'), found = by('found');
  const filter = () => {
    const q = query.value.trim().toLowerCase();
    let n = 0;
    for (const s of steps) {
      const hit = (!q || s.textContent.toLowerCase().includes(q)) &&
        (!ranOnly.checked || s.dataset.ran === '1');
      s.hidden = !hit;
      n += hit;
      if (q && hit && !s.querySelector('.name').textContent.toLowerCase().includes(q)) s.open = true;
    }
    found.textContent = q || ranOnly.checked ? n + ' of ' + steps.length : '';
  };
  if (query) {
    let timer;
    query.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(filter, 120); });
    ranOnly.addEventListener('change', filter);
    by('filter').addEventListener('submit', (ev) => { ev.preventDefault(); filter(); });
    const open = by('open-all');
    open.addEventListener('click', () => {
      const on = open.textContent === 'Open all';
      for (const s of steps) if (!s.hidden) s.open = on;
      open.textContent = on ? 'Close all' : 'Open all';
    });
  }
  addEventListener('beforeprint', () => {
    for (const s of steps) if (s.dataset.bad === '1') s.open = true;
  });

  /* ---- Graph: what a step is made of, and what is made of it. */
  const box = by('graph-box');
  if (box) {
    const up = new Map(), down = new Map();
    const add = (m, k, v) => { if (!m.has(k)) m.set(k, []); m.get(k).push(v); };
    const edges = all('.edge', box), nodes = new Map();
    for (const e of edges) {
      add(up, e.dataset.to, [e.dataset.from, e]);
      add(down, e.dataset.from, [e.dataset.to, e]);
    }
    for (const n of all('.node', box)) nodes.set(n.dataset.n, n);
    let lit = [];
    const walk = (m, from) => {
      const seen = new Set([from]), todo = [from];
      while (todo.length)
        for (const [next, edge] of m.get(todo.pop()) || []) {
          lit.push(edge);
          if (!seen.has(next)) { seen.add(next); todo.push(next); }
        }
      for (const k of seen) lit.push(nodes.get(k));
    };
    const light = (n) => {
      for (const e of lit) if (e) e.classList.remove('on');
      lit = [];
      box.classList.toggle('lit', n !== null);
      if (n === null) return;
      walk(up, n);
      walk(down, n);
      for (const e of lit) if (e) e.classList.add('on');
    };
    for (const [k, n] of nodes) {
      const a = n.closest('a');
      a.addEventListener('mouseenter', () => light(k));
      a.addEventListener('mouseleave', () => light(null));
      a.addEventListener('focus', () => light(k));
      a.addEventListener('blur', () => light(null));
    }
  }
})();
