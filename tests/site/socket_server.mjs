// The least of a WebSocket server (RFC 6455): text messages on loopback, enough to play the live updates by script.

import { createHash } from "node:crypto";

const KEY_OF_ALL = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Answers an upgrade with this subprotocol, and tells of each message; what it returns sends and closes. */
export function accept(request, socket, protocol, onMessage) {
  const key = createHash("sha1").update(request.headers["sec-websocket-key"] + KEY_OF_ALL).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Accept: ${key}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
  );
  let received = Buffer.alloc(0);
  socket.on("data", (data) => {
    received = Buffer.concat([received, data]);
    for (let frame; (frame = take(received)); received = frame.rest) {
      if (frame.opcode === 1) onMessage(JSON.parse(frame.text));
      else if (frame.opcode === 8) socket.end(Buffer.from([0x88, 0]));
    }
  });
  socket.on("error", () => socket.destroy());
  return {
    send: (message) => socket.write(frame(JSON.stringify(message))),
    drop: () => socket.destroy(),
  };
}

/** The first frame of what was received, which a client masks; undefined until it is whole. */
function take(received) {
  if (received.length < 6) return undefined;
  const short = received[1] & 0x7f;
  const [length, start] = short === 126 ? [received.readUInt16BE(2), 8] : [short, 6];
  if (received.length < start + length) return undefined;
  const mask = received.subarray(start - 4, start);
  const text = received.subarray(start, start + length).map((byte, index) => byte ^ mask[index % 4]);
  return { opcode: received[0] & 0x0f, text: Buffer.from(text).toString(), rest: received.subarray(start + length) };
}

function frame(text) {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(payload.length < 126 ? 2 : 4);
  head[0] = 0x81;
  head[1] = payload.length < 126 ? payload.length : 126;
  if (head.length === 4) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}
