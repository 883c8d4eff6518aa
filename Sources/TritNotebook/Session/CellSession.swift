import Foundation
import Synchronization
import TritCore
import TritDrawing
import TritPlugins

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The process of the cells over time. One that ends is started again when the next cell runs, and
/// the cells before it run again from their libraries: their state is as it was, but for what
/// depends on the time or on files.
final class CellSession: @unchecked Sendable {
  /// What has happened to the cell that runs, from other threads.
  private let requests = Atomic<Int>(0)
  private let isEnded = Atomic<Bool>(false)

  private let program: String
  private let memoryFolder: String
  private let names: CellNames
  var limits: CellLimits
  private var process: CellProcess?
  private var pending: [UInt8] = []
  private var places: [LoadedLibraries.Place] = []
  /// Cells whose effects the process has, or would have had.
  private(set) var history: [HostCommand] = []
  /// What cells have kept since it was taken.
  private var kept: [KeptValue] = []

  /// What cells have kept since this was called last.
  func takeKept() -> [KeptValue] {
    defer { kept = [] }
    return kept
  }

  init(program: String, memoryFolder: String, names: CellNames, limits: CellLimits) {
    self.program = program
    self.memoryFolder = memoryFolder
    self.names = names
    self.limits = limits
  }

  /// Asks what runs to stop. Called by any thread.
  func interrupt() { requests.add(1, ordering: .relaxed) }

  /// Forgets wishes of before: a cell begins, which is compiled first. What comes from now on is
  /// meant for it.
  func begin() { requests.store(0, ordering: .relaxed) }

  /// Nothing runs from now on. Called by any thread.
  func end() { isEnded.store(true, ordering: .relaxed) }

  /// Ends the process; the next cell begins without a state.
  func restart() {
    history = []
    stop()
  }

  /// Ends the process.
  func stop() {
    process = nil
    pending = []
    places = []
  }

  /// Runs a command; nil where it ended well.
  func run(_ command: HostCommand, emit: (CellOutput) -> Void) throws -> CellFailure? {
    // A wish of now need not wait until the state is restored; it can be restored by the next cell.
    if requests.load(ordering: .relaxed) == 0 { try restore() }
    if requests.load(ordering: .relaxed) > 0 {
      return CellFailure(
        .interrupted, name: "Interrupted", message: "the cell was interrupted before it ran",
        place: "\(command.file):\(command.line)")
    }
    let failure = try perform(command, limits: limits, emit: emit)
    history.removeAll { $0.id == command.id }
    if failure == nil, command.language != .experiment { history.append(command) }
    return failure
  }

  /// Starts the process where there is none, and brings it where the last one was. Throws a cell's
  /// failure where a cell does not run again; it and those after it are forgotten.
  private func restore() throws {
    guard process == nil else { return }
    pending = []
    places = []
    process = try CellProcess(program: program, memoryFolder: memoryFolder)
    for (index, earlier) in history.enumerated() {
      var command = earlier
      command.isReplay = true
      var limits = limits
      limits.seconds = limits.seconds.map { max($0, 60) }
      guard let failure = try perform(command, limits: limits, emit: { _ in }) else { continue }
      let lost = history[index...]
      history.removeSubrange(index...)
      stop()
      throw LostState(
        keys: Set(lost.map(\.key)), file: earlier.file, line: earlier.line, failure: failure)
    }
  }

  /// Cells that could not run again.
  struct LostState: Error {
    let keys: Set<String>
    let file: String
    let line: Int
    let failure: CellFailure
  }

  // MARK: One command

  /// Runs a command in the process that is there.
  private func perform(
    _ command: HostCommand, limits: CellLimits, emit: (CellOutput) -> Void
  ) throws -> CellFailure? {
    guard let process else { return nil }
    let line = Array(try JSONEncoder().encode(command)) + [UInt8(ascii: "\n")]
    var run = Running(command: command, limits: limits, names: names)
    guard process.send(line) else { return ended(process, &run, emit) }
    while true {
      if isEnded.load(ordering: .relaxed) {
        stop()
        return CellFailure(.interrupted, name: "Interrupted", message: "the notebook was ended")
      }
      var polls = [process.events, process.output, process.errors].map {
        pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
      }
      poll(&polls, 3, 50)
      if let failure = watch(process, &run, emit) { return failure }
      if polls[0].revents == 0 {
        if polls[1].revents != 0 || polls[2].revents != 0 { printed(process, &run, emit) }
        continue
      }
      var piece = [UInt8](repeating: 0, count: 1 << 16)
      let count = read(process.events, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return ended(process, &run, emit) }
      pending += piece[..<count]
      while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        let data = Data(pending[..<end])
        pending.removeSubrange(...end)
        guard let event = try? JSONDecoder().decode(HostEvent.self, from: data) else { continue }
        if event.kind == .done {
          printed(process, &run, emit)
          if event.failure == nil { kept += run.kept }
          return finished(event, run)
        }
        take(event, process, &run, emit)
      }
    }
  }

  /// What is known of a command that runs.
  private struct Running {
    let command: HostCommand
    let limits: CellLimits
    let names: CellNames
    let start = MonotonicClock.seconds()
    /// When it was asked to stop, and why.
    var asked: (at: Double, kind: CellFailure.Kind, count: Int)?
    var printedBytes = 0
    var shownBytes = 0
    /// The end of what was printed on standard error: a crash says there why.
    var lastErrors = ""
    var checkedMemory = 0.0
    var kept: [KeptValue] = []

    init(command: HostCommand, limits: CellLimits, names: CellNames) {
      self.command = command
      self.limits = limits
      self.names = names
    }
  }

  private func take(
    _ event: HostEvent, _ process: CellProcess, _ run: inout Running, _ emit: (CellOutput) -> Void
  ) {
    switch event.kind {
    case .loaded: if let place = event.place { places.append(place) }
    case .kept: if let kept = event.kept { run.kept.append(kept) }
    case .ready, .done: break
    case .display, .update, .result:
      printed(process, &run, emit)
      if var data = event.data {
        run.shownBytes += data.types.values.reduce(0) { $0 + $1.utf8.count }
        for (type, text) in data.types where type.hasPrefix("text/plain") {
          data.types[type] = names.told(text)
        }
        if run.shownBytes > run.limits.shown {
          data = DisplayData(
            plain: "not shown: the values of this cell take more than \(run.limits.shown >> 20) MiB"
          )
        }
        switch event.kind {
        case .result: emit(.result(data))
        case .update: emit(.update(data, id: event.id ?? ""))
        default: emit(.display(data, id: event.id))
        }
      }
      _ = process.send([UInt8(ascii: "\n")])
    }
  }

  /// Passes on what was printed, up to the limit.
  private func printed(
    _ process: CellProcess, _ run: inout Running, _ emit: (CellOutput) -> Void
  ) {
    for (stream, descriptor) in [(CellStream.stdout, process.output), (.stderr, process.errors)] {
      let bytes = process.drain(descriptor)
      guard !bytes.isEmpty else { continue }
      if stream == .stderr {
        run.lastErrors = String(
          (run.lastErrors + String(decoding: bytes, as: UTF8.self)).suffix(4000))
      }
      let room = run.limits.printed - run.printedBytes
      run.printedBytes += bytes.count
      guard room > 0 else { continue }
      let text = String(decoding: bytes.prefix(room), as: UTF8.self)
      emit(.stream(stream, names.told(text)))
      if bytes.count >= room {
        emit(
          .stream(
            .stderr,
            "\n… what this cell prints beyond \(run.limits.printed >> 10) KiB is left out\n"))
      }
    }
  }

  /// Keeps the limits: time, memory, and the user's wish. Gives the failure of a cell that had to
  /// be ended.
  private func watch(
    _ process: CellProcess, _ run: inout Running, _ emit: (CellOutput) -> Void
  ) -> CellFailure? {
    let now = MonotonicClock.seconds()
    // A cell that runs again restores the state: it ran before, and interrupted it would be lost.
    let wishes =
      run.command.isReplay
      ? 0 : requests.load(ordering: .relaxed) + (Interruption.isRequested ? 1 : 0)
    if wishes > 0, run.asked == nil {
      run.asked = (now, .interrupted, wishes)
      process.interrupt()
    }
    if let seconds = run.limits.seconds, now - run.start > seconds, run.asked == nil {
      run.asked = (now, .timeout, wishes)
      process.interrupt()
    }
    if now - run.checkedMemory > 0.1 {
      run.checkedMemory = now
      let bytes = process.residentBytes
      if bytes > run.limits.memory {
        return killed(
          process, &run, emit,
          CellFailure(
            .crash, name: "OutOfMemory",
            message:
              "the cell takes more memory than it may: \(bytes >> 20) MiB of \(run.limits.memory >> 20) MiB"
          ))
      }
    }
    guard let asked = run.asked else { return nil }
    // A second wish is meant.
    let isUrgent = asked.kind == .interrupted && wishes > asked.count
    guard isUrgent || now - asked.at > run.limits.grace else { return nil }
    let what =
      asked.kind == .timeout
      ? CellFailure(
        .timeout, name: "Timeout",
        message:
          "the cell took longer than \(Self.text(run.limits.seconds ?? 0)) s, and did not stop when it was asked"
      )
      : CellFailure(
        .interrupted, name: "Interrupted",
        message:
          "the cell was interrupted; it did not stop when it was asked, so its process was ended")
    return killed(process, &run, emit, what)
  }

  private static func text(_ seconds: Double) -> String {
    seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)"
  }

  /// Ends the process of a cell, which is asked before where it is.
  private func killed(
    _ process: CellProcess, _ run: inout Running, _ emit: (CellOutput) -> Void,
    _ failure: CellFailure
  ) -> CellFailure {
    process.askWhere()
    printed(process, &run, emit)
    let trace = trace(process)
    process.end()
    stop()
    return told(failure, trace, run)
  }

  /// The failure of a cell whose process has ended.
  private func ended(
    _ process: CellProcess, _ run: inout Running, _ emit: (CellOutput) -> Void
  ) -> CellFailure {
    let status = process.reap()
    printed(process, &run, emit)
    let trace = trace(process)
    let caught = trace.signal
    stop()
    if let asked = run.asked {
      let message =
        asked.kind == .timeout
        ? "the cell took longer than \(Self.text(run.limits.seconds ?? 0)) s"
        : "the cell was interrupted, and its process ended"
      return told(
        CellFailure(
          asked.kind, name: asked.kind == .timeout ? "Timeout" : "Interrupted", message: message),
        trace, run)
    }
    let number = status & 0x7F
    if number == 0, caught == nil {
      return told(
        CellFailure(
          .crash, name: "Exit",
          message: "the cell ended the process (exit code \(status >> 8 & 0xFF))"), trace, run)
    }
    let signal = caught ?? number
    // What the runtime said is on standard error, or is the name of a frame.
    let said = run.lastErrors.split(separator: "\n").last { $0.contains("Fatal error") }
      .flatMap { line in
        line.range(of: "Fatal error: ").map { String(line[$0.upperBound...]) }
      }
    let why = trace.reason ?? said ?? Self.meaning(of: signal)
    return told(
      CellFailure(
        .crash, name: "Crash", message: "the cell crashed: \(why) (\(Self.name(of: signal)))"),
      trace, run)
  }

  private static func name(of signal: Int32) -> String {
    let names = [
      SIGSEGV: "SIGSEGV", SIGBUS: "SIGBUS", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP",
      SIGABRT: "SIGABRT",
      SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGTERM: "SIGTERM", SIGSYS: "SIGSYS",
    ]
    return names[signal] ?? "signal \(signal)"
  }

  private static func meaning(of signal: Int32) -> String {
    switch signal {
    case SIGSEGV, SIGBUS: "memory that is not its own was used"
    case SIGKILL: "it was killed, perhaps because the machine ran out of memory"
    case SIGFPE: "an integer was divided by 0"
    default: "a check of the language or the library failed"
    }
  }

  // MARK: Places

  private func finished(_ event: HostEvent, _ run: Running) -> CellFailure? {
    guard let failure = event.failure else { return nil }
    var kind = failure
    if let asked = run.asked, failure.kind == .interrupted, asked.kind == .timeout {
      kind = CellFailure(
        .timeout, name: "Timeout",
        message: "the cell took longer than \(Self.text(run.limits.seconds ?? 0)) s")
    }
    var trace = CellTrace(places: places, names: names)
    trace.addresses = event.frames ?? []
    return told(kind, trace.resolved(), run)
  }

  private func trace(_ process: CellProcess) -> CellTrace.Resolved {
    var trace = CellTrace(places: places, names: names)
    trace.read(String(decoding: process.drain(process.report), as: UTF8.self))
    return trace.resolved()
  }

  /// The failure in terms of the notebook, with its place where one is known.
  private func told(
    _ failure: CellFailure, _ trace: CellTrace.Resolved, _ run: Running
  ) -> CellFailure {
    var failure = failure
    failure.message = names.told(failure.message)
    failure.place = trace.lines.first ?? failure.place
    if trace.lines.count > 1 {
      failure.message += "\n" + trace.calls.prefix(8).map { "  in \($0)" }.joined(separator: "\n")
    }
    if failure.place == nil, run.command.language != .experiment {
      failure.place = "\(run.command.file):\(run.command.line)"
    }
    return failure
  }
}
