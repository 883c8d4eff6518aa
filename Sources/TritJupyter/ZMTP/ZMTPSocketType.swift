/// The kinds of ZeroMQ sockets that a kernel binds, and with which ones each talks (ZMTP 3.0, RFC
/// 23, "socket types").
package enum ZMTPSocketType: String, Sendable {
  case router = "ROUTER"
  case publisher = "PUB"
  case reply = "REP"

  /// The types of sockets that may be at the other end.
  var peers: [String] {
    switch self {
    case .router: ["DEALER", "REQ", "ROUTER"]
    case .publisher: ["SUB", "XSUB"]
    case .reply: ["REQ", "DEALER"]
    }
  }
}

/// What a peer may send; what goes beyond ends the connection.
package struct ZMTPLimits: Sendable {
  /// Bytes of all parts of a message.
  package var message: Int
  /// Parts of a message.
  package var parts: Int
  /// Bytes of a command.
  package var command = 1 << 12

  /// Limits.
  package init(message: Int, parts: Int) {
    self.message = message
    self.parts = parts
  }
}

/// A peer that does not keep the protocol; its connection is closed.
package struct ZMTPViolation: Error, Equatable {
  /// What it did.
  package let what: String
}
