internal import Foundation
internal import Synchronization
internal import TritCore
package import TritPlugins

/// How a run starts processes that measure for it.
package struct RunWorkers {
  /// How many, at most.
  package var count: Int
  /// Seconds that one at work may be silent; nil for any time, where no code from outside runs.
  package var seconds: Double?
  /// The plug-ins that are loaded.
  package var plugins: [String]
  /// Starts one that takes orders.
  package var start: (RunHandover) throws -> WatchedProcess

  /// So many processes that `start` makes.
  package init(
    count: Int, seconds: Double? = nil, plugins: [String] = [],
    start: @escaping (RunHandover) throws -> WatchedProcess
  ) {
    self.count = count
    self.seconds = seconds
    self.plugins = plugins
    self.start = start
  }
}

/// The processes of a run that measure, each watched by a thread, and what they tell in the order
/// in which it comes.
final class WorkerCrew {
  /// What came from a process.
  enum Message: Sendable {
    case told(worker: Int, RunReport)
    case ended(worker: Int, WatchedProcess.Outcome)
  }

  /// What threads hand over.
  private final class Box: Sendable {
    let messages = Mutex<[Message]>([])
  }

  private let workers: RunWorkers
  private let box = Box()
  private var processes: [Int: WatchedProcess] = [:]
  private var next = 0

  init(_ workers: RunWorkers) { self.workers = workers }

  /// Starts a process and gives its number.
  func start(_ handover: RunHandover) throws -> Int {
    let number = next
    next += 1
    let process = try workers.start(handover)
    processes[number] = process
    // The thread waits, this one sends orders: they share nothing that changes but the number of
    // the child.
    nonisolated(unsafe) let watched = process
    let box = box
    // While a model is loaded nothing is told.
    let limit = workers.seconds.map { max($0, 120) } ?? .greatestFiniteMagnitude
    Thread.detachNewThread {
      let outcome = watched.wait(limit: { limit }) { line in
        guard let report = RunReport(line: line) else { return }
        box.messages.withLock { $0.append(.told(worker: number, report)) }
      }
      box.messages.withLock { $0.append(.ended(worker: number, outcome)) }
    }
    return number
  }

  /// Tells a process what to do; false where it is gone.
  func order(_ worker: Int, _ order: WorkerOrder) -> Bool {
    processes[worker]?.order(order.line) ?? false
  }

  /// Lets a process end once it is done.
  func dismiss(_ worker: Int) { _ = processes[worker]?.order("") }

  /// Forgets one that has ended.
  func forget(_ worker: Int) { processes[worker] = nil }

  /// The numbers of those that are there.
  var all: [Int] { processes.keys.sorted() }

  /// What has come since it was asked last; waits up to `seconds` for it.
  func messages(within seconds: Double) -> [Message] {
    let end = MonotonicClock.seconds() + seconds
    while true {
      let come = box.messages.withLock { messages -> [Message] in
        defer { messages = [] }
        return messages
      }
      if !come.isEmpty || MonotonicClock.seconds() > end { return come }
      usleep(20_000)
    }
  }
}
