// The page "People": one's own password; for managers the accounts of the project.

import { api } from "../frame/api.js";
import { say } from "../frame/frame.js";

const ROLES = ["annotator", "manager"];

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const field = (text, input) => el("label", { class: "field" }, el("span", {}, text), input);

const password = (name, autocomplete) =>
  el("input", { name, type: "password", autocomplete, required: true, minlength: 10, maxlength: 256 });

// Send a form: one sentence of success or of fault, said where the form is.
function form(title, fields, action, send) {
  const said = el("div", { role: "status" });
  const button = el("button", { class: "button primary", type: "submit" }, action);
  const made = el("form", { class: "card stack" }, el("h2", {}, title), ...fields, said, el("div", {}, button));
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      said.textContent = await send(new FormData(made));
      said.className = "note good";
      made.reset();
    } catch (error) {
      said.textContent = error.message;
      said.className = "note bad";
    }
    button.disabled = false;
  });
  return made;
}

function ownPassword() {
  const fields = [
    // Lets password managers know whose password it is.
    el("input", { name: "name", autocomplete: "username", value: window.antiphon.person, hidden: true }),
    field("Password until now", password("old", "current-password")),
    field("New password (10 characters or more)", password("new", "new-password")),
    field("New password again", password("again", "new-password")),
  ];
  return form("Your password", fields, "Change the password", async (data) => {
    if (data.get("new") !== data.get("again")) throw new Error("The two new passwords differ.");
    await api("POST", "/password", { old: data.get("old"), new: data.get("new") });
    window.antiphon.token = (await api("GET", "/session")).token;
    return "Changed. Everywhere else you are logged out.";
  });
}

function roleSelect(chosen, attributes) {
  const select = el("select", attributes);
  for (const role of ROLES) select.append(el("option", { value: role, selected: role === chosen }, role));
  return select;
}

class Accounts {
  constructor() {
    this.body = el("tbody");
    this.said = el("div", { role: "status" });
    const head = ["Name", "Role", "State", ""].map((text) => el("th", { scope: "col" }, text));
    this.element = el("section", { class: "card stack", "aria-label": "Accounts" },
      el("h2", {}, "Accounts"), this.said,
      el("table", { class: "plain-table" }, el("thead", {}, el("tr", {}, ...head)), this.body));
  }

  async load() {
    const users = await api("GET", "/users");
    this.body.replaceChildren(...users.map((user) => this.row(user)));
    if (!users.length) {
      this.body.append(el("tr", {}, el("td", { colspan: 4, class: "muted" },
        "Nobody yet. As soon as there is an account, people have to log in when the app is started again.")));
    }
  }

  row(user) {
    const role = roleSelect(user.role, { "aria-label": `Role of ${user.name}` });
    role.addEventListener("change", async () => {
      await this.change(user, { role: role.value });
      role.value = user.role;
    });
    const state = el("span", { class: user.disabled ? "tag bad" : "tag good" }, user.disabled ? "disabled" : "active");
    const out = el("button", { class: "button small", type: "button",
      onclick: () => this.change(user, { disabled: !user.disabled }) }, user.disabled ? "Let in again" : "Disable");
    const renew = el("button", { class: "button small", type: "button", onclick: () => this.ask(user) }, "New password");
    for (const button of [out, renew]) button.setAttribute("aria-label", `${button.textContent}: ${user.name}`);
    return el("tr", {},
      el("td", {}, user.name), el("td", {}, el("span", { class: "field" }, role)), el("td", {}, state),
      el("td", {}, el("div", { class: "line" }, renew, out)));
  }

  async change(user, what) {
    try {
      await api("PATCH", `/users/${user.id}`, what);
      await this.load();
      this.said.textContent = "";
      this.said.className = "";
    } catch (error) {
      this.said.textContent = error.message;
      this.said.className = "note bad";
    }
  }

  ask(user) {
    const dialog = el("dialog", { class: "card", "aria-label": `New password of ${user.name}` });
    const asked = form(`New password of ${user.name}`, [field("New password (10 characters or more)", password("new", "new-password"))],
      "Set the password", async (data) => {
        await api("PATCH", `/users/${user.id}`, { password: data.get("new") });
        say(`New password for ${user.name}; their sessions have ended`);
        dialog.close();
        return "";
      });
    asked.classList.remove("card");
    dialog.append(asked, el("button", { class: "button", type: "button", onclick: () => dialog.close() }, "Cancel"));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }
}

async function draw(page) {
  const { accounts, role } = window.antiphon;
  const manager = role === "manager";
  page.append(el("h1", {}, manager ? "People" : "Your account"));
  if (manager) {
    if (!accounts) {
      page.append(el("p", { class: "note" },
        "This app runs for you alone: nobody logs in, and only this machine reaches it. With accounts several people can label, each under their own name."));
    }
    const list = new Accounts();
    const add = form("Add somebody", [
      el("div", { class: "line" },
        field("Name", el("input", { name: "name", required: true, maxlength: 64, autocomplete: "off" })),
        field("Password (10 characters or more)", password("password", "new-password")),
        field("Role", roleSelect("annotator", { name: "role" }))),
      el("p", { class: "muted" }, "Annotators label; managers also train, settle disagreements and look after accounts."),
    ], "Add", async (data) => {
      const added = await api("POST", "/users", Object.fromEntries(data));
      await list.load();
      return `${added.name} can log in.`;
    });
    page.append(list.element, add);
    await list.load();
  }
  if (accounts) page.append(ownPassword());
}

function begin() {
  const page = document.getElementById("people-page");
  if (page) draw(page).catch((error) => say(error.message, "bad"));
  else setTimeout(begin, 30);
}
begin();
