// Run by the image once, as root, when the data folder is empty. Each account has a role of its own name, which does these
// things to the documents of the shop's database and nothing else: none can drop, rename or change collections. Its password
// comes from the container's environment.
const actions = {
  projector: ["find", "insert", "update", "createIndex", "listIndexes"],
  bot: ["find", "insert", "update", "remove", "createIndex", "listIndexes"],
  tools: ["find", "insert", "update", "remove", "createIndex", "listIndexes"],
};
const shop = db.getSiblingDB("tolov");
for (const name of Object.keys(actions)) {
  const privilege = { resource: { db: "tolov", collection: "" }, actions: actions[name] };
  shop.createRole({ role: name, privileges: [privilege], roles: [] });
  const password = process.env[`MONGO_${name.toUpperCase()}_PASSWORD`];
  shop.createUser({ user: name, pwd: password, roles: [{ role: name, db: "tolov" }] });
}
