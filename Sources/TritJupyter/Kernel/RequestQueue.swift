import Foundation

/// A request that waits for its turn.
struct KernelRequest: Sendable {
  let message: JupyterMessage
  let channel: KernelChannel
  /// The connection that gets the answer.
  let peer: Int
  /// Whether a cell before it failed, so that it does not run.
  var isAborted = false
}

/// Requests in the order in which they came, from the thread that reads to one that answers.
final class RequestQueue: @unchecked Sendable {
  /// Requests and bytes beyond which no more are read.
  private static let mostRequests = 512
  private static let mostBytes = 64 << 20

  private let condition = NSCondition()
  private var waiting: [KernelRequest] = []
  private var bytes = 0
  private var isClosed = false

  /// Whether nothing more should come for now.
  var isFull: Bool { locked { waiting.count >= Self.mostRequests || bytes >= Self.mostBytes } }

  func push(_ request: KernelRequest) {
    locked {
      waiting.append(request)
      bytes += request.message.byteCount
      condition.signal()
    }
  }

  /// The next request, once there is one; nil after `close`.
  func pop() -> KernelRequest? {
    locked {
      while waiting.isEmpty, !isClosed { condition.wait() }
      guard !isClosed, !waiting.isEmpty else { return nil }
      let request = waiting.removeFirst()
      bytes -= request.message.byteCount
      return request
    }
  }

  /// Marks all cells that wait: one before them failed.
  func abortCells() {
    locked {
      for index in waiting.indices where waiting[index].message.type == "execute_request" {
        waiting[index].isAborted = true
      }
    }
  }

  /// Lets go of who waits.
  func close() {
    locked {
      isClosed = true
      condition.broadcast()
    }
  }

  private func locked<Result>(_ body: () -> Result) -> Result {
    condition.lock()
    defer { condition.unlock() }
    return body()
  }
}
