"use strict";
// Tables of rows (inflate, search, filter, sort, pages of 100, save), and filters that all parts of the page share.
// The state is in the address, so that a link opens the same view and the way back leads through the earlier ones.
// Text is only ever set by textContent.
const PAGE = 100;
const LONG = 500;

// ---- the view: what each part shows, and what is chosen for the whole page

const parts = new Map(); // id -> { root, state, draw }
const shared = new URLSearchParams();
const names = new Set(); // of the filters that are shared
let typed = ""; // the part whose search is being typed in: one step of the history, however many letters

function register(id, root, draw) {
  parts.set(id, { root, state: new URLSearchParams(), draw });
}

function chosen(id, name) {
  return (names.has(name) ? shared : parts.get(id).state).get(name) || "";
}

function views() {
  const of = [...parts].map(([id, part]) => [id, String(part.state)]);
  return { shared: String(shared), parts: Object.fromEntries(of) };
}

function replace(params, text) {
  for (const key of [...params.keys()]) params.delete(key);
  for (const [key, value] of new URLSearchParams(text)) params.set(key, value);
}

function drawAll() {
  for (const part of parts.values()) part.draw();
}

function set(id, changes, search) {
  const { root, state, draw } = parts.get(id);
  const above = root.getBoundingClientRect().top;
  let everywhere = false;
  for (const [key, value] of Object.entries(changes)) {
    const params = names.has(key) ? shared : state;
    everywhere ||= params === shared;
    value ? params.set(key, value) : params.delete(key);
  }
  if (everywhere) for (const part of parts.values()) part.state.delete("page");
  const all = [String(shared), String(state)].filter(Boolean).join("&");
  const address = "#" + id + (all ? "?" + all : "");
  history[address === location.hash || (search && typed === id) ? "replaceState" : "pushState"](views(), "", address);
  typed = search ? id : "";
  everywhere ? drawAll() : draw();
  if (everywhere) scrollBy(0, root.getBoundingClientRect().top - above); // what lies above may have become shorter
}

// Read the address; one that names no part that has a view leaves all as it is.
function read() {
  const at = location.hash.indexOf("?");
  const part = parts.get(decodeURIComponent(location.hash.slice(1, at < 0 ? undefined : at)));
  if (part) {
    replace(shared, "");
    replace(part.state, "");
    for (const [key, value] of new URLSearchParams(at < 0 ? "" : location.hash.slice(at + 1))) (names.has(key) ? shared : part.state).set(key, value);
    drawAll();
    part.root.scrollIntoView();
  }
  history.replaceState(views(), "");
}

// Back and forward find what was shown in the entry; a link that was followed has left none.
addEventListener("hashchange", () => {
  typed = "";
  const kept = history.state;
  if (!kept) return read();
  replace(shared, kept.shared);
  for (const [id, part] of parts) replace(part.state, kept.parts[id] || "");
  drawAll();
});

// ---- what parts are made of

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A choice of values with how often each occurs.
function choice(id, name, lists) {
  const counts = new Map();
  for (const list of lists) for (const value of list) counts.set(value, (counts.get(value) || 0) + 1);
  const select = element("select", { "aria-label": name }, element("option", { value: "" }, name + ": all"));
  for (const [value, count] of [...counts].sort((a, b) => b[1] - a[1])) select.append(element("option", { value }, value + " (" + count.toLocaleString("en") + ")"));
  select.addEventListener("change", () => set(id, { [name]: select.value, page: "" }));
  return {
    select,
    // What another part offers can be chosen here too, and leaves nothing.
    show(wanted) {
      if (wanted && !counts.has(wanted)) {
        counts.set(wanted, 0);
        select.append(element("option", { value: wanted }, wanted + " (0)"));
      }
      select.value = wanted;
    },
  };
}

// A diff reads as its new text where it is searched, sorted and saved; the words that are missing are found too.
function plain(value, whole) {
  if (value === null || value === undefined) return "";
  if (!Array.isArray(value)) return String(value);
  if (!value.length || !Array.isArray(value[0])) return value.join(", ");
  return value.filter((part) => whole || part[0] !== "missing").map((part) => part[1]).join("");
}

const MARKS = { added: "ins", missing: "del", found: "mark" };

function cell(column, value) {
  const td = element("td", { dir: "auto", role: "cell", class: column.filter && column.type === "text" ? "short" : column.type, "data-name": column.name });
  const text = plain(value, true);
  if (!text) td.classList.add("empty");
  if (column.type === "id") td.textContent = text;
  else if (column.type === "number") td.textContent = value === null ? "–" : Number.isInteger(value) ? value.toLocaleString("en") : Number(value).toPrecision(4);
  else if (column.type === "tags") for (const tag of value) td.append(element("span", { class: "tag" }, tag));
  else {
    const body = text.length > LONG ? element("div", { class: "cut" }) : td;
    if (column.type === "diff") for (const [kind, part] of value) body.append(MARKS[kind] ? element(MARKS[kind], {}, part) : part);
    else body.textContent = text;
    if (body !== td) {
      const button = element("button", { type: "button" }, "show all");
      button.addEventListener("click", () => { body.classList.remove("cut"); button.remove(); });
      td.append(body, button);
    }
  }
  return td;
}

function save(name, records, columns) {
  const lines = records.map((record) => JSON.stringify(Object.fromEntries(columns.map((column, k) => [column.name, column.type === "diff" ? plain(record[k]) : record[k]]))));
  const address = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "application/x-ndjson" }));
  const link = element("a", { href: address, download: name + ".jsonl" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// ---- what is drawn already (a grid, samples): filters alone

function narrow(root) {
  const id = root.dataset.filter;
  const things = [...document.querySelectorAll("[data-of]")].filter((each) => each.dataset.of === id).map((each) => [each, JSON.parse(each.dataset.tags)]);
  const of = [...new Set(things.flatMap(([, tags]) => Object.keys(tags)))];
  const selects = of.map((name) => {
    names.add(name);
    return [name, choice(id, name, things.map(([, tags]) => tags[name] || []))];
  });
  const count = element("span", { class: "count", role: "status" });
  const clear = element("button", { type: "button" }, "show all");
  clear.addEventListener("click", () => set(id, Object.fromEntries(of.map((name) => [name, ""]))));
  root.replaceChildren(...selects.map(([, made]) => made.select), count, clear);
  register(id, root, () => {
    let left = 0;
    for (const [each, tags] of things) {
      each.hidden = !of.every((name) => !chosen(id, name) || (tags[name] || []).includes(chosen(id, name)));
      left += !each.hidden;
    }
    for (const [name, made] of selects) made.show(chosen(id, name));
    count.textContent = (left < things.length ? left + " of " : "") + things.length + " shown";
    clear.disabled = left === things.length && of.every((name) => !chosen(id, name));
  });
}

// ---- tables of rows

async function inflate(id) {
  const packed = Uint8Array.from(atob(document.getElementById("data-" + id).textContent.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function table(root, id, data) {
  let shown = [];
  const search = element("input", { type: "search", placeholder: "Search these rows", "aria-label": "Search these rows" });
  const controls = element("div", { class: "controls" }, search);
  const selects = [];
  data.columns.forEach((column, k) => {
    if (!column.filter) return;
    if (column.shared) names.add(column.name);
    const made = choice(id, column.name, data.records.map((record) => (column.type === "tags" ? record[k] : [plain(record[k])])));
    selects.push([column, k, made]);
    controls.append(made.select);
  });
  const order = element("select", { class: "sort", "aria-label": "Sort" }, element("option", { value: "" }, "sort: as in the file"));
  for (const { name } of data.columns) order.append(element("option", { value: name }, "sort: " + name + " ↑"), element("option", { value: "-" + name }, "sort: " + name + " ↓"));
  order.addEventListener("change", () => set(id, { sort: order.value, page: "" }));
  const count = element("span", { class: "count", role: "status" });
  const back = element("button", { type: "button" }, "← previous");
  const next = element("button", { type: "button" }, "next →");
  const keep = element("button", { type: "button", title: "Save the rows found here as JSON Lines" }, "save rows");
  keep.addEventListener("click", () => save(id, shown, data.columns));
  controls.append(order, count, back, next, keep);
  const head = element("tr", { role: "row" });
  const heads = data.columns.map((column) => {
    const button = element("button", { type: "button", title: "Sort by " + column.name });
    button.addEventListener("click", () => {
      const now = chosen(id, "sort");
      set(id, { sort: now === column.name ? "-" + column.name : now === "-" + column.name ? "" : column.name, page: "" });
    });
    const th = element("th", { scope: "col", role: "columnheader", class: column.type }, button);
    head.append(th);
    return [column, th, button];
  });
  const body = element("tbody", { role: "rowgroup" });
  const whole = element("table", { role: "table" }, element("thead", { role: "rowgroup" }, head), body);
  root.replaceChildren(controls, element("div", { class: "scroll", tabindex: "0" }, whole));

  function draw() {
    const query = chosen(id, "q").toLowerCase();
    if (document.activeElement !== search) search.value = chosen(id, "q");
    shown = data.records.filter((record) => !query || record.some((value) => plain(value, true).toLowerCase().includes(query)));
    for (const [column, k, made] of selects) {
      const wanted = chosen(id, column.name);
      made.show(wanted);
      if (wanted) shown = shown.filter((record) => (column.type === "tags" ? record[k].includes(wanted) : plain(record[k]) === wanted));
    }
    const sort = chosen(id, "sort");
    order.value = sort;
    const by = data.columns.findIndex((column) => column.name === sort.replace(/^-/, ""));
    for (const [column, th, button] of heads) {
      const way = column.name === sort ? "ascending" : "-" + column.name === sort ? "descending" : "none";
      th.setAttribute("aria-sort", way);
      button.textContent = column.name + (way === "ascending" ? " ↑" : way === "descending" ? " ↓" : "");
    }
    if (by >= 0) {
      const sign = sort.startsWith("-") ? -1 : 1;
      const numeric = data.columns[by].type === "number" || data.columns[by].type === "id";
      const missing = (value) => value === null || value === undefined;
      shown = [...shown].sort((a, b) => numeric
        ? missing(a[by]) - missing(b[by]) || sign * (a[by] - b[by])
        : sign * plain(a[by]).localeCompare(plain(b[by])));
    }
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    const page = Math.min(Math.max(1, Number(chosen(id, "page")) || 1), pages);
    const all = data.records.length.toLocaleString("en");
    count.textContent = (shown.length < data.records.length ? shown.length.toLocaleString("en") + " of " : "") + all + " rows" + (pages > 1 ? ", page " + page + " of " + pages : "");
    back.disabled = page <= 1;
    next.disabled = page >= pages;
    back.onclick = () => turn(page - 1);
    next.onclick = () => turn(page + 1);
    body.replaceChildren(...shown.slice((page - 1) * PAGE, page * PAGE).map((record) => element("tr", { role: "row" }, ...data.columns.map((column, k) => cell(column, record[k])))));
  }

  function turn(page) {
    set(id, { page: String(page) });
    if (controls.getBoundingClientRect().top < 0) controls.scrollIntoView();
  }

  search.addEventListener("input", () => set(id, { q: search.value, page: "" }, true));
  register(id, root, draw);
}

async function unpack(root) {
  const id = root.dataset.rows;
  if (typeof DecompressionStream === "undefined") root.textContent = "This browser is too old to open this table (DecompressionStream is missing).";
  else try { table(root, id, await inflate(id)); } catch (error) { root.textContent = "This table could not be opened: " + error; }
}

document.querySelectorAll("[data-filter]").forEach(narrow);
Promise.all([...document.querySelectorAll("[data-rows]")].map(unpack)).then(() => {
  drawAll();
  read();
});
