import Foundation
import Synchronization
import TritCore
import TritFormats
public import TritNotebook

/// A Jupyter kernel: messages of protocol 5.3 over five sockets, cells by an executor.
///
/// One thread reads all sockets and sends heartbeats back; one answers what comes on `shell`, in
/// order; one answers what comes on `control`, also while a cell runs. Messages that are not signed
/// with the key, or came before, are dropped.
public final class JupyterKernel: @unchecked Sendable {
  let executor: any CellExecutor
  private let server: ZMTPServer
  private let signature: MessageSignature
  private let writer: MessageWriter
  private let shell = RequestQueue()
  private let control = RequestQueue()
  private let seen = Mutex(SeenSignatures())
  private let ended = DispatchSemaphore(value: 0)
  let state = Mutex(State())

  /// What answers have in common.
  struct State {
    /// The number of the newest cell.
    var count = 0
    /// Cells that were run, with those that are not counted.
    var serial = 0
    var history = KernelHistory()
  }

  /// A kernel whose cells are run by `executor`; its sockets are bound. Throws `cannotCreate` where
  /// a port is in use.
  public init(connection: JupyterConnection, executor: any CellExecutor) throws {
    self.executor = executor
    signature = MessageSignature(key: connection.key)
    writer = MessageWriter(signature: signature)
    server = try ZMTPServer(ip: connection.ip, ports: connection.ports, place: connection.path)
  }

  /// The ports that are bound.
  package var ports: [KernelChannel: Int] { server.ports }

  /// Answers messages until a client asks to shut down, or `stop` is called. `tick` is called about
  /// once a second. Afterwards the cells' process has ended. Called once.
  public func run(tick: @escaping () -> Void = {}) {
    publish("status", ["execution_state": "starting"], parent: [:])
    for queue in [shell, control] {
      let thread = Thread { [self] in
        while let request = queue.pop() {
          if !queue.isFull { server.wake() }
          answer(request)
        }
        ended.signal()
      }
      thread.stackSize = 4 << 20
      thread.start()
    }
    server.run(
      receive: { receive($0, $1, $2) },
      isBusy: { $0 == .shell ? shell.isFull : $0 == .control ? control.isFull : false },
      tick: tick)
    executor.end()
    for queue in [shell, control] { queue.close() }
    // A cell that runs is ended by its executor; nobody waits for one that is not.
    let limit = DispatchTime.now() + .seconds(5)
    for _ in 0..<2 { _ = ended.wait(timeout: limit) }
  }

  /// Interrupts the cell that runs, as a client's `interrupt_request` does.
  public func interrupt() { executor.interrupt() }

  /// Ends the cells and `run`.
  public func stop() {
    executor.end()
    server.stop()
  }

  // MARK: Messages in and out

  /// On the thread that reads.
  private func receive(_ channel: KernelChannel, _ peer: Int, _ parts: [[UInt8]]) {
    guard let message = JupyterMessage(parts: parts, signature: signature),
      seen.withLock({ $0.isNew(message.signature) })
    else { return }
    let request = KernelRequest(message: message, channel: channel, peer: peer)
    switch channel {
    // Cells run one after the other, wherever they come from.
    case .control where message.type != "execute_request": control.push(request)
    case .shell, .control: shell.push(request)
    // Answers to questions, of which none is asked.
    case .stdin, .iopub, .heartbeat: break
    }
  }

  /// Publishes a message for all who listen. `parent` is the header of the request that it belongs
  /// to.
  func publish(_ type: String, _ content: JSONValue, parent: JSONValue) {
    server.publish([Array("kernel.\(type)".utf8)] + writer.parts(type, content, parent: parent))
  }

  /// Answers a request.
  func reply(_ content: JSONValue, to request: KernelRequest) {
    let type = request.message.type
    let name = type.hasSuffix("_request") ? String(type.dropLast("_request".count)) : type
    let parts = writer.parts("\(name)_reply", content, parent: request.message.header)
    server.send(request.message.identities + parts, to: request.peer)
  }

  /// Lets cells that wait not run: one before them failed.
  func abortWaitingCells() { shell.abortCells() }

  /// Ends `run` once what was answered is sent.
  func finish() { server.stop() }

  /// The newest signatures. A message that comes twice was sent by somebody who listened.
  private struct SeenSignatures {
    private var known: Set<[UInt8]> = []
    private var order: [[UInt8]] = []
    private var oldest = 0
    private static let most = 1 << 14

    mutating func isNew(_ signature: [UInt8]) -> Bool {
      guard !signature.isEmpty else { return true }
      guard known.insert(signature).inserted else { return false }
      if order.count < Self.most {
        order.append(signature)
      } else {
        known.remove(order[oldest])
        order[oldest] = signature
        oldest = (oldest + 1) % Self.most
      }
      return true
    }
  }
}
