/// The five sockets of a kernel.
package enum KernelChannel: String, Sendable, CaseIterable {
  /// Requests, one after the other.
  case shell
  /// Requests that are answered while a cell runs.
  case control
  /// What a kernel asks of a person; nothing is asked here.
  case stdin
  /// What cells give, to all who listen.
  case iopub
  /// Whatever comes is sent back: the kernel is alive.
  case heartbeat = "hb"

  /// The kind of its socket.
  package var type: ZMTPSocketType {
    switch self {
    case .shell, .control, .stdin: .router
    case .iopub: .publisher
    case .heartbeat: .reply
    }
  }

  /// What a peer may send.
  package var limits: ZMTPLimits {
    switch self {
    // A cell with data written out in it; widgets send buffers as further parts.
    case .shell: ZMTPLimits(message: 64 << 20, parts: 64)
    case .control: ZMTPLimits(message: 4 << 20, parts: 64)
    case .stdin: ZMTPLimits(message: 1 << 20, parts: 64)
    case .iopub: ZMTPLimits(message: 1 << 12, parts: 1)
    case .heartbeat: ZMTPLimits(message: 1 << 12, parts: 8)
    }
  }
}
