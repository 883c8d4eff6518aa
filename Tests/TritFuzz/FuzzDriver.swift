import Foundation
import TritLab

/// Runs workers one after the other, starts a new one where one died, and tells what came of it.
struct FuzzDriver {
  let options: FuzzOptions

  init(_ options: FuzzOptions) { self.options = options }

  func run() throws -> Int32 {
    let targets = try options.targets
    try FileManager.default.createDirectory(
      atPath: options.output, withIntermediateDirectories: true)
    let shares = targets.reduce(0) { $0 + $1.share }
    let seconds = options.seconds ?? (options.count == nil ? 60 : .infinity)
    say(Row.head)
    var rows: [Row] = []
    for target in targets {
      let row = try run(target, seconds: seconds * target.share / shares)
      rows.append(row)
      say(row.line)
    }
    say(Row.total(rows).line)
    let bad = rows.flatMap(\.complaints)
    for complaint in bad { say("trit-fuzz: error: \(complaint)") }
    if !Coverage.isInstrumented {
      say(
        "edges: not counted in this build; 'make fuzz' builds with coverage. Kinds of answers stand in for them."
      )
    }
    return bad.isEmpty ? 0 : 1
  }

  /// Runs one target for its share of the time.
  private func run(_ target: FuzzTarget, seconds: Double) throws -> Row {
    let path = FuzzWorker.statusPath(options.output, target.name)
    let status = try StatusFile(path, isNew: true)
    let end = MonotonicClock.seconds() + seconds
    var row = Row(name: target.name, minimum: target.minimumAccepted)
    var start = 0
    while true {
      let left = end - MonotonicClock.seconds()
      let count = options.count.map { $0 - status[.inputs] }
      if row.crashes > 0, left <= 0 || (count ?? 1) <= 0 { break }
      var words = [
        "worker", target.name, "--output", options.output, "--seed",
        "\(options.seed &+ UInt64(start) &* 1_000_003)",
        "--limit", "\(options.limit)", "--memory", "\(options.memory)",
      ]
      if left.isFinite { words += ["--seconds", "\(max(left, 0.1))"] }
      if let count { words += ["--count", "\(count)"] }
      let (code, said) = try Self.spawn(words)
      if code == 0 { break }
      start += 1
      row.crashes += 1
      let reason = ["", "takes too long", "takes too much memory", "hangs"][min(status[.reason], 3)]
      let what =
        status[.reason] == 0 ? "the process ended with \(code)\n\(said)" : "\(reason)\n\(said)"
      status[.reason] = 0
      guard status[.isRunning] == 1 else {
        throw LabError(.failure, "a worker of \(target.name) failed: \(what)")
      }
      status[.isRunning] = 0
      status[.inputs] += 1
      try Fault(target: target.name, input: status.input, what: what).keep(in: options.output)
      // One that dies at once each time would never end.
      if row.crashes >= 50 { break }
    }
    row.read(status)
    return row
  }

  /// Runs this program with `words`; gives its exit code (128 + the signal) and the end of its
  /// standard error.
  private static func spawn(_ words: [String]) throws -> (Int32, String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = words
    let log = NSTemporaryDirectory() + "trit-fuzz-\(ProcessInfo.processInfo.processIdentifier).err"
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    defer { try? FileManager.default.removeItem(atPath: log) }
    process.standardError = FileHandle(forWritingAtPath: log)
    process.standardOutput = FileHandle.nullDevice
    // A backtrace of Swift's own takes seconds and is in the reproduction anyway.
    process.environment = ProcessInfo.processInfo.environment.merging([
      "SWIFT_BACKTRACE": "enable=no"
    ]) { $1 }
    try process.run()
    process.waitUntilExit()
    let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    let code = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
    return (code, String(said.prefix(6000)))
  }
}

/// The figures of one target.
struct Row {
  let name: String
  let minimum: Double
  var crashes = 0
  private(set) var inputs = 0
  private(set) var accepted = 0
  private(set) var refused = 0
  private(set) var passes = 0
  private(set) var faults = 0
  private(set) var edges = 0
  private(set) var covered = 0
  private(set) var answers = 0
  private(set) var corpus = 0
  private(set) var longest = 0

  init(name: String, minimum: Double) {
    self.name = name
    self.minimum = minimum
  }

  mutating func read(_ status: StatusFile) {
    inputs = status[.inputs]
    accepted = status[.accepted]
    refused = status[.refused]
    passes = status[.forwardPasses]
    faults = status[.faults] + crashes
    edges = status[.edges]
    covered = status[.edgesCovered]
    answers = status[.answers]
    corpus = status[.corpus]
    longest = status[.longest]
  }

  static func total(_ rows: [Row]) -> Row {
    var total = Row(name: "all", minimum: 0)
    for row in rows {
      total.inputs += row.inputs
      total.accepted += row.accepted
      total.refused += row.refused
      total.passes += row.passes
      total.faults += row.faults
      total.answers += row.answers
      total.corpus += row.corpus
      total.longest = max(total.longest, row.longest)
    }
    return total
  }

  private var share: Double { inputs > 0 ? Double(accepted) / Double(inputs) : 0 }

  /// What makes the run a failure.
  var complaints: [String] {
    var list: [String] = []
    if faults > 0 {
      list.append(
        "\(name): \(faults) faults; the inputs are in faults/, 'trit-fuzz repro FILE' runs one again"
      )
    }
    if inputs < 20 { list.append("\(name): only \(inputs) inputs were run") }
    if share < minimum {
      list.append(
        String(
          format: "%@: %.1f %% were accepted, at least %.1f %% must be", name, 100 * share,
          100 * minimum))
    }
    return list
  }

  static let head = cells(
    "target", "inputs", "accepted", "refused", "passes", "answers", "edges", "kept", "slowest",
    "faults")

  var line: String {
    Self.cells(
      name, "\(inputs)", String(format: "%.1f %%", 100 * share),
      String(format: "%.1f %%", inputs > 0 ? 100 * Double(refused) / Double(inputs) : 0),
      "\(passes)", "\(answers)",
      edges > 0 ? "\(covered)" : "-", "\(corpus)", String(format: "%.0f ms", Double(longest) / 1e6),
      "\(faults)")
  }

  private static func cells(_ first: String, _ others: String...) -> String {
    first.padding(toLength: 16, withPad: " ", startingAt: 0)
      + others.map { String(repeating: " ", count: max(1, 10 - $0.count)) + $0 }.joined()
  }
}
