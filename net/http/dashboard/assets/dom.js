// Elements, and one tree laid over another: what has not changed stays where it is, with its focus
// and its selection. Text is always text, wherever it comes from.

const svgTags = new Set(
    ['svg', 'g', 'path', 'rect', 'circle', 'line', 'text', 'title', 'defs', 'pattern', 'clipPath']);
const svgSpace = 'http://www.w3.org/2000/svg';

// h("p", {class: "note"}, "text", another). Attributes that are null or false are left out, but for
// those of ARIA and of our own, which say "true" or "false".
export function h(tag, attributes, ...children) {
  const element =
      svgTags.has(tag) ? document.createElementNS(svgSpace, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    const isWord = name.startsWith('aria-') || name.startsWith('data-');
    if (value === null || value === undefined || (value === false && !isWord)) continue;
    element.setAttribute(name, value === true && !isWord ? '' : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child))
      append(element, child);
    else
      element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

// Makes `target`'s children what `children` are.
export function show(target, ...children) {
  const wanted = document.createElement('div');
  append(wanted, children);
  morphChildren(target, wanted);
}

function morphChildren(target, wanted) {
  const keyed = new Map();
  for (const child of target.children) {
    if (child.dataset?.key) keyed.set(child.dataset.key, child);
  }
  let at = target.firstChild;
  for (const next of [...wanted.childNodes]) {
    const key = next.dataset?.key;
    const match = key ? keyed.get(key) : at && !at.dataset?.key ? at : null;
    if (match && isSameKind(match, next)) {
      if (match !== at)
        target.insertBefore(match, at);
      else
        at = at.nextSibling;
      morph(match, next);
    } else {
      target.insertBefore(next, at);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function isSameKind(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName;
}

function morph(target, wanted) {
  if (target.nodeType === Node.TEXT_NODE) {
    if (target.data !== wanted.data) target.data = wanted.data;
    return;
  }
  for (const {name} of [...target.attributes]) {
    if (!wanted.hasAttribute(name)) target.removeAttribute(name);
  }
  for (const {name, value} of wanted.attributes) {
    if (target.getAttribute(name) !== value) target.setAttribute(name, value);
  }
  // What a person chooses is theirs: its options may change, its value does not.
  morphChildren(target, wanted);
}
