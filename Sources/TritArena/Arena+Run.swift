import Foundation
public import TritCore

extension Arena {
  /// Runs a contest in a child process of `program`, whose `main` calls `childMain`, and gives what
  /// came out: also where the kernel crashed or hung, which is a verdict like others.
  ///
  /// `arguments` come behind the private word, `progress` hears what is being done. Throws where
  /// the contest could not take place: a kernel that cannot be made, figures out of range, no
  /// process, an interruption.
  public static func run(
    _ request: ArenaRequest, program: String = ProgramPath.readable, arguments: [String] = [],
    progress: ((String) -> Void)? = nil
  ) throws -> ArenaResult {
    try request.validate()
    let child = try ArenaChildProcess(
      program, [childWord] + arguments, environment: ["SWIFT_BACKTRACE": backtrace])
    child.send(ArenaJSON.text(ArenaOrder(request: request)))
    var parent = ArenaReferee(request: request)
    let end = try child.run(limit: request.limit) { line in
      guard let message = try? ArenaJSON.value(ArenaMessage.self, line) else { return }
      if let text = message.text, message.kind == .phase { progress?(text) }
      if message.kind == .ready {
        // Drawn only now, by this process: nothing in the contestant can know it.
        child.send(ArenaJSON.text(ArenaSeed(seed: parent.seed)))
      }
      parent.hear(message, at: HardwareClock.nanoseconds())
    }
    return try parent.result(end, said: String(decoding: child.said, as: UTF8.self))
  }

  /// What Swift's runtime says of a crash: a few frames of the thread that crashed, with lines.
  private static let backtrace =
    "enable=yes,color=no,interactive=no,threads=crashed,registers=none,images=none,limit=16,"
    + "sanitize=no,cache=yes,output-to=stderr"
}

/// The parent's side of a contest: hears the child, holds its clock against the own, and gives the
/// result.
package struct ArenaReferee {
  let request: ArenaRequest
  let seed: UInt64
  private var result: ArenaResult
  private var phase = "starting"
  private var marks: [(child: UInt64, own: UInt64)] = []
  private var fault: String?
  private var refusal: LabError?
  private var isDone = false

  init(request: ArenaRequest) {
    self.request = request
    var system = SystemRandomNumberGenerator()
    seed = request.seed ?? system.next()
    result = ArenaResult(request: request, seed: seed)
  }

  /// Takes a message that came at `now`, in nanoseconds of the own clock.
  mutating func hear(_ message: ArenaMessage, at now: UInt64) {
    switch message.kind {
    case .ready: break
    case .phase: phase = message.text ?? phase
    case .verdict:
      if let verdict = message.verdict { result.verdicts.append(verdict) }
    case .fault: fault = message.text
    case .mark:
      if let time = message.nanoseconds { marks.append((time, now)) }
    case .line:
      if let line = message.measured { result.lines.append(line) }
    case .refusal:
      refusal =
        message.refused?.error ?? LabError(.failure, message.text ?? "the contest was refused")
    case .done:
      isDone = true
      result.runs = message.kernel == request.name ? nil : message.kernel
    }
  }

  /// What is wrong with the child's clock: its time between the first mark and the last, and the
  /// own.
  package static func clockFault(_ marks: [(child: UInt64, own: UInt64)]) -> String? {
    guard let first = marks.first, let last = marks.last, marks.count > 1 else { return nil }
    let child = Double(last.child &- first.child)
    let own = Double(last.own &- first.own)
    // A message can lie in a pipe while this process waits for a core.
    guard abs(child - own) > 0.02 * own + 1e9 else { return nil }
    return "by its own clock the race took \(ArenaClocks.factor(child / own)) times as long as by "
      + "its parent's"
  }

  /// The result of a child that ended so and `said` this on standard error.
  mutating func result(_ end: ArenaChildProcess.End, said: String) throws -> ArenaResult {
    if let refusal { throw refusal }
    try Interruption.check()
    if let words = Self.clockFault(marks) {
      result.verdicts.removeAll { $0.check == .clock }
      result.verdicts.append(ArenaVerdict(.clock, isFine: false, found: words))
    }
    if let words = death(end, said) {
      let place = ArenaCrash.place(said)
      if let fault {
        result.verdicts.removeAll { $0.check == .bounds }
        result.verdicts.append(
          ArenaVerdict(.bounds, isFine: false, found: "\(fault), in \(phase)", place: place))
      }
      result.verdicts.append(ArenaVerdict(.survival, isFine: false, found: words, place: place))
    } else {
      result.verdicts.append(ArenaVerdict(.survival, isFine: true))
    }
    let order = ArenaCheck.allCases
    result.verdicts.sort { a, b in
      (order.firstIndex(of: a.check) ?? 0) < (order.firstIndex(of: b.check) ?? 0)
    }
    result.score = result.derivedScore
    return result
  }

  private func death(_ end: ArenaChildProcess.End, _ said: String) -> String? {
    switch end {
    case .exit(0) where isDone: return nil
    case .exit(let code):
      let words = ArenaCrash.message(said).map { ": \($0)" } ?? ""
      return "ended the process with exit code \(code) in \(phase)\(words)"
    case .signal(let number):
      let words = ArenaCrash.message(said).map { ": \($0)" } ?? ""
      return "crashed with signal \(number) (\(SignalName.text(number))) in \(phase)\(words)"
    case .hang:
      return "did not come back within \(ArenaClocks.factor(request.limit)) s in \(phase)"
    }
  }
}

/// What a crash says of itself on standard error.
package enum ArenaCrash {
  /// The words of a trap of Swift (`Fatal error: …`) or of the C library; nil where there are none.
  package static func message(_ said: String) -> String? {
    let marks = ["Fatal error: ", "Precondition failed", "Assertion failed", "malloc", "error: "]
    for mark in marks {
      guard let line = said.split(separator: "\n").first(where: { $0.contains(mark) }),
        let range = line.range(of: mark)
      else { continue }
      return String(line[range.lowerBound...].prefix(200))
    }
    return nil
  }

  /// The first place in a file of source that the backtrace names, `file:line:column`; nil where it
  /// names none.
  package static func place(_ said: String) -> String? {
    for line in said.split(separator: "\n") {
      guard let match = line.firstMatch(of: #/ at (/.+?):(\d+)(:\d+)?\s*$/#) else { continue }
      let path = String(match.1)
      // Frames of runtimes and of the referee itself are not where the kernel is wrong.
      if path.contains("/Sources/TritArena/") || path.contains("/swift/stdlib/") { continue }
      return "\(path):\(match.2)\(match.3 ?? "")"
    }
    return nil
  }
}

/// Names of the signals that end a program.
enum SignalName {
  static func text(_ number: Int32) -> String {
    let names: [Int32: String] = [
      4: "SIGILL, an instruction that this CPU lacks or a trap", 5: "SIGTRAP, a trap",
      6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL: was memory short?",
      11: "SIGSEGV, memory that is not its own",
    ]
    return names[number] ?? "see kill -l"
  }
}
