import Foundation
import TritFormats
import TritJupyter

/// A kernel on ports of its own, and a client that is connected to all sockets.
final class TestClient {
  let executor = FakeExecutor()
  let kernel: JupyterKernel
  let shell: TestPeer
  let control: TestPeer
  let iopub: TestPeer
  let writer: MessageWriter
  private let signature: MessageSignature
  private let ended = DispatchSemaphore(value: 0)

  init(key: String = "secret") throws {
    let connection = JupyterConnection(key: key)
    let kernel = try JupyterKernel(connection: connection, executor: executor)
    self.kernel = kernel
    signature = MessageSignature(key: Array(key.utf8))
    writer = MessageWriter(signature: signature)
    let ended = ended
    Thread.detachNewThread {
      kernel.run()
      ended.signal()
    }
    shell = try TestPeer(port: kernel.ports[.shell] ?? 0, type: "DEALER")
    control = try TestPeer(port: kernel.ports[.control] ?? 0, type: "DEALER")
    iopub = try Self.subscriber(kernel)
    // Whoever has got an answer knows that the subscription, which was sent before, has been read.
    try settle()
  }

  deinit {
    kernel.stop()
    _ = ended.wait(timeout: .now() + 10)
  }

  /// Whether the kernel has ended by itself.
  func hasEnded() -> Bool {
    defer { ended.signal() }
    return ended.wait(timeout: .now() + 10) == .success
  }

  static func subscriber(_ kernel: JupyterKernel) throws -> TestPeer {
    let peer = try TestPeer(port: kernel.ports[.iopub] ?? 0, type: "SUB")
    peer.send([[1]])
    return peer
  }

  private func settle() throws {
    while true {
      let id = try send("kernel_info_request", [:])
      _ = try reply(to: id)
      // Messages about a first request may be missed; those about the answered one are there.
      var polls = [pollfd(fd: iopub.number, events: Int16(POLLIN), revents: 0)]
      if poll(&polls, 1, 200) > 0 { break }
    }
    while true {
      let message = try next(iopub)
      if message.type == "status", message.content["execution_state"]?.string == "idle" { break }
    }
  }

  /// Sends a request; gives the name of the message.
  @discardableResult func send(
    _ type: String, _ content: JSONValue, metadata: JSONValue = [:], on peer: TestPeer? = nil
  ) throws -> String {
    let (id, parts) = request(type, content, metadata: metadata)
    (peer ?? shell).send([Array("me".utf8)] + parts)
    return id
  }

  /// The parts of a request and its name.
  func request(
    _ type: String, _ content: JSONValue, metadata: JSONValue = [:]
  ) -> (id: String, parts: [[UInt8]]) {
    let id = UUID().uuidString
    let header: JSONValue = [
      "msg_id": .string(id), "session": "s", "username": "u", "date": "2026-01-01T00:00:00Z",
      "msg_type": .string(type), "version": "5.3",
    ]
    let blobs = [header, [:], metadata, content].map { Array(JSONWriter.text($0).utf8) }
    return (id, [Array("<IDS|MSG>".utf8), signature.signature(of: blobs)] + blobs)
  }

  struct Received {
    let type: String
    let parent: String
    let content: JSONValue
    let identities: [[UInt8]]
  }

  /// The next message of a socket, its signature checked.
  func next(_ peer: TestPeer) throws -> Received {
    let parts = try peer.message()
    guard let mark = parts.firstIndex(of: Array("<IDS|MSG>".utf8)), parts.count == mark + 6,
      signature.accepts(parts[mark + 1], of: parts[(mark + 2)...])
    else { throw TestPeer.Silence() }
    let documents = try parts[(mark + 2)...].map {
      try JSONReader.read(String(decoding: $0, as: UTF8.self))
    }
    return Received(
      type: documents[0]["msg_type"]?.string ?? "",
      parent: documents[1]["msg_id"]?.string ?? "", content: documents[3],
      identities: Array(parts[..<mark]))
  }

  /// The answer to a request.
  func reply(to id: String, on peer: TestPeer? = nil) throws -> Received {
    while true {
      let message = try next(peer ?? shell)
      if message.parent == id { return message }
    }
  }

  /// What was published about a request until the kernel is idle again, without the words that it
  /// is busy and idle.
  func published(about id: String) throws -> [Received] {
    var messages: [Received] = []
    while true {
      let message = try next(iopub)
      guard message.parent == id else { continue }
      guard message.type == "status" else {
        messages.append(message)
        continue
      }
      if message.content["execution_state"]?.string == "idle" { return messages }
    }
  }

  /// Runs a cell: the answer and what was published.
  func run(
    _ code: String, metadata: JSONValue = [:], _ more: [(key: String, value: JSONValue)] = []
  ) throws -> (reply: JSONValue, messages: [Received]) {
    let id = try send(
      "execute_request", .object([("code", .string(code))] + more), metadata: metadata)
    return (try reply(to: id).content, try published(about: id))
  }
}
