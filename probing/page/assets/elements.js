// Elements of a page and its data. Text is inserted as text, never as markup.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);

function assembled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const make = (tag, attributes = {}, ...children) => assembled(document.createElement(tag), attributes, children);
const option = (value, text) => make("option", { value }, text);
// plotly interprets some tags in its texts
const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const known = (value) => value != null;
const plural = (count, word, many = `${word}s`) => `${count.toLocaleString("en")} ${count === 1 ? word : many}`;
