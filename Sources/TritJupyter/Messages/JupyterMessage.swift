import TritFormats

/// A message that a client sent, signature checked.
///
/// On the wire: identities, `<IDS|MSG>`, signature, header, parent, metadata, content, buffers.
/// Source: jupyter-client's messaging.rst, "the wire protocol".
package struct JupyterMessage: Sendable {
  /// What stands before the mark; the answer begins with the same.
  package var identities: [[UInt8]]
  /// The header, which answers have as their parent.
  package var header: JSONValue
  /// `execute_request` and the like.
  package var type: String
  /// What clients say beside the content, as the cell's name.
  package var metadata: JSONValue
  /// What is asked.
  package var content: JSONValue
  /// The bytes of the message, for bounds.
  package var byteCount: Int
  /// The signature, by which a message that is sent again is known; empty where none is signed.
  package var signature: [UInt8]

  static let mark = Array("<IDS|MSG>".utf8)

  /// Reads the parts of a message; nil for what is none, or is not signed with the key. Buffers are
  /// not kept: no message with any means something here.
  package init?(parts: [[UInt8]], signature check: MessageSignature) {
    guard let mark = parts.firstIndex(of: Self.mark), parts.count - mark > 5 else { return nil }
    let blobs = parts[(mark + 2)...(mark + 5)]
    guard check.accepts(parts[mark + 1], of: blobs) else { return nil }
    let documents = blobs.compactMap { blob in
      try? blob.withUnsafeBytes { try JSONReader.read($0, path: "message") }
    }
    guard documents.count == 4, documents.allSatisfy({ $0.object != nil }),
      let type = documents[0]["msg_type"]?.string, documents[0]["msg_id"]?.string != nil
    else { return nil }
    identities = Array(parts[..<mark])
    header = documents[0]
    self.type = type
    metadata = documents[2]
    content = documents[3]
    byteCount = parts.reduce(0) { $0 + $1.count }
    signature = parts[mark + 1]
  }

  /// A text of the content, or "".
  func text(_ key: String) -> String { content[key]?.string ?? "" }

  /// A truth value of the content.
  func flag(_ key: String, default standard: Bool) -> Bool { content[key]?.bool ?? standard }
}

/// Writes messages of one session.
package struct MessageWriter: Sendable {
  /// The version of the protocol.
  package static let protocolVersion = "5.3"

  private let signature: MessageSignature
  private let session = MessageWriter.newID()

  /// Writes messages that are signed so.
  package init(signature: MessageSignature) { self.signature = signature }

  /// The parts of a message from the mark on. `parent` is the header of what it answers.
  package func parts(_ type: String, _ content: JSONValue, parent: JSONValue) -> [[UInt8]] {
    let header = JSONValue.object([
      ("msg_id", .string(Self.newID())), ("session", .string(session)),
      ("username", .string("trit")), ("date", .string(Self.date())), ("msg_type", .string(type)),
      ("version", .string(Self.protocolVersion)),
    ])
    let blobs = [header, parent, .object([]), content].map { Array(JSONWriter.text($0).utf8) }
    return [JupyterMessage.mark, signature.signature(of: blobs)] + blobs
  }
}
