"""Fan-out with the topics of uWebSockets through its Python binding, in the plain dialect of the load generator."""

import socket

from socketify import App, CompressOptions, OpCode


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def message(ws, data, opcode):
    if data[:1] == b"S":
        ws.subscribe(data[1:].decode())
        ws.send(b"R", OpCode.BINARY)
    else:
        channel, _, payload = data[1:].partition(b" ")
        app.publish(channel.decode(), payload, OpCode.BINARY)


app = App()
app.ws(
    "/*",
    {
        "compression": CompressOptions.DISABLED,
        "max_payload_length": 1024 * 1024,
        "max_backpressure": 64 * 1024 * 1024,
        "idle_timeout": 0,
        "message": message,
    },
)
port = free_port()
app.listen({"host": "127.0.0.1", "port": port}, lambda _: print(f"listening on http://127.0.0.1:{port}", flush=True))
app.run()
