// The command palette, loaded when it is opened for the first time: it goes to a page, an item, a
// retriever or a person, and carries out what the page has keys for. The server says what its person
// may open; letters that are typed are looked for in the titles here.

import { getJson, gettext, ngettext, sentenceFor, signedOut } from "./server.js";

const KINDS = {
  action: gettext("Action"),
  page: gettext("Page"),
  item: gettext("Item"),
  retriever: gettext("Retriever"),
  person: gettext("Person"),
  theme: gettext("Theme"),
};
const TYPING_PAUSE = 150;
const MOST_SHOWN = 50;
// So many rows a page key moves by.
const PAGE_STEP = 8;
const LONGEST_TITLE = 200;

const palette = document.getElementById("palette");
const field = palette.querySelector("[role=combobox]");
const list = palette.querySelector("[role=listbox]");
const status = palette.querySelector("[role=status]");

// The page's actions, the theme and signing out.
let ownChoices = [];
// What the server answered last, and for which words.
let answer = { words: "", choices: [] };
let problem = "";
let active = 0;
let timer = 0;
let request = null;

// Matching letters

const WORD_START = 8;
const NEXT_LETTER = 9;

function plainLetters(text) {
  return [...text.slice(0, LONGEST_TITLE)].map((letter) => letter.normalize("NFD")[0].toLowerCase());
}

function isWordStart(letters, place) {
  return place === 0 || !/[\p{L}\p{N}]/u.test(letters[place - 1]);
}

// The best place for each letter of a word in `letters`, in this order, as {score, places}; null
// where a letter is missing. A letter counts more at the start of a word, and after the one before.
function matchWord(word, letters) {
  let ends = letters.map(() => null);
  for (const [index, wanted] of [...word].entries()) {
    let before = index === 0 ? { score: 0, places: [] } : null;
    ends = letters.map((letter, place) => {
      const previous = index > 0 && place > 0 ? ends[place - 1] : null;
      const adjacent = previous && { ...previous, score: previous.score + NEXT_LETTER };
      // `before` is the best match of the letters so far that ends anywhere before this place.
      if (previous && (!before || previous.score > before.score)) before = previous;
      if (letter !== wanted) return null;
      const start = before && isWordStart(letters, place) ? WORD_START : 0;
      const apart = before && { ...before, score: before.score + start };
      const best = adjacent && (!apart || adjacent.score >= apart.score) ? adjacent : apart;
      return best && { score: best.score + 1, places: [...best.places, place] };
    });
  }
  return ends.reduce((best, end) => (end && (!best || end.score > best.score) ? end : best), null);
}

function matchTitle(words, title) {
  const letters = plainLetters(title);
  const places = new Set();
  let score = -letters.length / LONGEST_TITLE;
  for (const word of words) {
    const match = matchWord(plainLetters(word), letters);
    if (!match) return null;
    score += match.score;
    for (const place of match.places) places.add(place);
  }
  return { score, places };
}

// Showing choices

function markedTitle(title, places) {
  const element = document.createElement("span");
  element.classList.add("palette-title", "clip");
  element.dir = "auto";
  let mark = null;
  for (const [place, letter] of [...title].entries()) {
    if (!places.has(place)) {
      mark = null;
      element.append(letter);
    } else {
      if (!mark) {
        mark = document.createElement("mark");
        element.append(mark);
      }
      mark.append(letter);
    }
  }
  element.normalize();
  return element;
}

function optionPart(tag, text, ...classes) {
  const element = document.createElement(tag);
  element.classList.add(...classes);
  element.textContent = text;
  return element;
}

function optionElement({ choice, places }, index) {
  const option = document.createElement(choice.url ? "a" : "button");
  option.id = `palette-choice-${index}`;
  option.className = "palette-choice";
  option.setAttribute("role", "option");
  option.tabIndex = -1;
  if (choice.url) {
    option.href = choice.url;
    // The review page saves a draft first.
    option.dataset.leaves = "";
  } else {
    option.type = "button";
    option.addEventListener("click", () => {
      palette.close();
      choice.run();
    });
  }
  option.append(markedTitle(choice.title, places));
  if (choice.detail) {
    option.append(" ", optionPart("span", choice.detail, "palette-detail", "muted", "clip"));
  }
  if (choice.keys) option.append(" ", optionPart("kbd", choice.keys, "palette-keys"));
  option.append(" ", optionPart("span", KINDS[choice.kind], "palette-kind", "muted"));
  return option;
}

function typedWords() {
  return field.value.trim();
}

// The choices that match, best first. What the server finds in other texts than the title comes
// last, and only for the words that it was asked for.
function matches() {
  const typed = typedWords();
  const words = typed.split(/\s+/).filter(Boolean);
  const found = [];
  for (const choice of [...ownChoices, ...answer.choices]) {
    const match = matchTitle(words, choice.title);
    const isFoundElsewhere = answer.words === typed && choice.kind !== "page" && choice.url;
    if (match) found.push({ choice, ...match });
    else if (isFoundElsewhere) found.push({ choice, score: -1, places: new Set() });
  }
  if (words.length) found.sort((one, other) => other.score - one.score);
  return found.slice(0, MOST_SHOWN);
}

function setActive(index) {
  const options = [...list.children];
  active = Math.min(Math.max(index, 0), options.length - 1);
  for (const [place, option] of options.entries()) {
    option.setAttribute("aria-selected", String(place === active));
  }
  const option = options[active];
  field.setAttribute("aria-expanded", String(Boolean(option)));
  if (option) {
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else {
    field.removeAttribute("aria-activedescendant");
  }
}

function showChoices() {
  list.replaceChildren(...matches().map(optionElement));
  setActive(0);
}

function showStatus() {
  const number = list.children.length;
  const sentence = number
    ? ngettext("%(number)s match", "%(number)s matches", number)
    : gettext("Nothing matches. Try fewer letters, or the number of an item.");
  status.textContent = problem || sentence;
}

// Asking the server

async function ask() {
  if (request) request.abort();
  request = new AbortController();
  const words = typedWords();
  const url = new URL(palette.dataset.url, window.location.href);
  url.searchParams.set("q", words);
  const { signal } = request;
  let response = { status: 503, json: {} };
  try {
    response = await getJson(url, { signal });
  } catch {
    if (signal.aborted) return;
  }
  if (response.status === 401) {
    palette.close();
    signedOut({ opens: true });
    return;
  }
  problem = response.status === 200 ? "" : response.json.problem || sentenceFor(response.status);
  field.setAttribute("aria-invalid", String(response.status === 422));
  if (response.status === 200) answer = { words, choices: response.json.choices };
  // Whoever has moved on meanwhile stays where they are.
  const chosen = active > 0 ? list.children[active].textContent : "";
  showChoices();
  const place = [...list.children].findIndex(({ textContent }) => textContent === chosen);
  if (place > 0) setActive(place);
  showStatus();
}

field.addEventListener("input", () => {
  showChoices();
  window.clearTimeout(timer);
  timer = window.setTimeout(ask, TYPING_PAUSE);
});

const MOVES = {
  ArrowDown: () => (active + 1) % list.children.length,
  ArrowUp: () => (active + list.children.length - 1) % list.children.length,
  PageDown: () => active + PAGE_STEP,
  PageUp: () => active - PAGE_STEP,
};

field.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey) return;
  if (event.key === "Enter") {
    event.preventDefault();
    if (!event.repeat) list.children[active]?.click();
    return;
  }
  if (!MOVES[event.key] || !list.children.length) return;
  event.preventDefault();
  setActive(MOVES[event.key]());
});
palette.addEventListener("click", (event) => {
  const isBeside = event.target === palette;
  if (isBeside || event.target.closest("[data-close]")) palette.close();
});
palette.addEventListener("close", () => {
  window.clearTimeout(timer);
  if (request) request.abort();
});

function themeChoices() {
  return [...document.querySelectorAll(".theme button")].map((button) => ({
    kind: "theme",
    title: gettext("Theme: %(name)s", { name: button.textContent.trim() }),
    run: () => button.click(),
  }));
}

function signOutChoices() {
  return [...document.querySelectorAll("[data-signs-out] [type=submit]")].map((button) => ({
    kind: "action",
    title: button.textContent.trim(),
    run: () => button.click(),
  }));
}

// Opens the palette. `actions` are those of the page, as [{title, keys, run}].
export function openPalette(actions) {
  ownChoices = [
    ...actions.map((action) => ({ kind: "action", ...action })),
    ...themeChoices(),
    ...signOutChoices(),
  ];
  field.value = "";
  problem = "";
  status.textContent = "";
  palette.showModal();
  showChoices();
  ask();
}
