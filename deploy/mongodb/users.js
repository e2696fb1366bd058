// Run by the image once, as root, when the data folder is empty. Each account may read and write the shop's database and
// nothing else; its password comes from the container's environment.
const shop = db.getSiblingDB("tolov");
for (const name of ["projector", "bot", "tools"]) {
  const password = process.env[`MONGO_${name.toUpperCase()}_PASSWORD`];
  shop.createUser({ user: name, pwd: password, roles: [{ role: "readWrite", db: "tolov" }] });
}
