// Keeps a server that would listen everywhere on loopback, and says when it listens.
const net = require("node:net");
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  const then = rest.find((each) => typeof each === "function");
  this.once("listening", () => process.stderr.write("listening on loopback\n"));
  return typeof port === "object" ? listen.call(this, port, ...rest) : listen.call(this, Number(port), "127.0.0.1", then);
};
