import Foundation
import Synchronization
import TritLab

/// Runs inputs of one target until it is told to stop, or until one ends the process.
struct FuzzWorker {
  let options: FuzzOptions
  let target: FuzzTarget

  init(_ options: FuzzOptions) throws {
    self.options = options
    guard let target = try options.targets.first else { throw LabError(.usage, "which target?") }
    self.target = target
  }

  /// The file of a target's status inside `folder`.
  static func statusPath(_ folder: String, _ target: String) -> String {
    "\(folder)/\(target).status"
  }

  func run() throws -> Int32 {
    let status = try StatusFile(Self.statusPath(options.output, target.name), isNew: false)
    let scratch = try Scratch()
    defer { scratch.remove() }
    let body = try target.body(scratch)
    let seeds = try target.seeds()
    var corpus = Corpus(seeds)
    var coverage = Coverage()
    var mutator = Mutator(
      seed: options.seed
        ^ UInt64(bitPattern: Int64(target.name.utf8.reduce(7) { $0 &* 31 &+ Int($1) })))
    Watch.start(status, seconds: options.limit, megabytes: options.memory)
    let end = options.seconds.map { MonotonicClock.seconds() + $0 } ?? .infinity
    let count = options.count ?? .max
    var done = 0
    var known = 0
    while done < count, done % 16 != 0 || MonotonicClock.seconds() < end {
      // The seeds themselves come first: a target that refuses them tests nothing.
      let input =
        done < seeds.count
        ? seeds[done]
        : mutator.mutate(corpus.pick(&mutator), as: target.grammar, other: corpus.pick(&mutator))
      let start = Watch.processorTime()
      status.begin(input, at: start)
      coverage.begin()
      let answer = Answer { try body(input) }
      status[.isRunning] = 0
      let took = Watch.processorTime() - start
      status[.longest] = max(status[.longest], took)
      done += 1
      status[.inputs] += 1
      switch answer {
      case .accepted: status[.accepted] += 1
      case .refused: status[.refused] += 1
      case .fault(let what):
        status[.faults] += 1
        known += 1
        // The same fault again and again is not worth a file each.
        if known <= 40 {
          try Fault(target: target.name, input: input, what: what).keep(in: options.output)
        }
      }
      if done <= seeds.count, target.areSeedsGood, case .refused(let why) = answer {
        try Fault(target: target.name, input: input, what: "a seed was refused: \(why)").keep(
          in: options.output)
        status[.faults] += 1
      }
      if coverage.end(answer: answer.text) {
        corpus.add(input, isAccepted: answer.isAccepted, took: took)
      }
      status[.forwardPasses] += scratch.forwardPasses
      scratch.forwardPasses = 0
      if done % 256 == 0 { update(status, coverage, corpus) }
    }
    update(status, coverage, corpus)
    if Coverage.isInstrumented {
      try Data(Coverage.listing().utf8).write(
        to: URL(fileURLWithPath: "\(options.output)/\(target.name).edges"))
    }
    return 0
  }

  private func update(_ status: StatusFile, _ coverage: Coverage, _ corpus: Corpus) {
    status[.edges] = Coverage.edges
    status[.edgesCovered] = max(status[.edgesCovered], Coverage.edgesCovered)
    status[.answers] = max(status[.answers], coverage.answers.count)
    status[.corpus] = corpus.count
  }

  /// Runs an input that was kept: `TARGET-….input`.
  static func reproduce(_ path: String) throws -> Int32 {
    let name = URL(fileURLWithPath: path).lastPathComponent
    let targets = FuzzTarget.all.filter { name.hasPrefix($0.name + "-") }
    guard let target = targets.max(by: { $0.name.count < $1.name.count }) else {
      throw LabError(.usage, "the name of the file does not begin with a target's", at: path)
    }
    let scratch = try Scratch()
    defer { scratch.remove() }
    let input = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    let body = try target.body(scratch)
    let start = MonotonicClock.seconds()
    let answer = Answer { try body(input) }
    say(
      "\(target.name), \(input.count) bytes, \(MonotonicClock.seconds() - start) s: \(answer.text)")
    if case .fault = answer { return 1 }
    return 0
  }
}

/// What came of one input.
enum Answer {
  case accepted
  case refused(String)
  case fault(String)

  init(_ body: () throws -> Void) {
    do {
      try body()
      self = .accepted
    } catch let error as LabError {
      self =
        error.kind == .internalError
        ? .fault("an internal error: \(error)") : .refused(error.description)
    } catch let error as LabErrors {
      self = error.problems.isEmpty ? .fault("no problem told") : .refused(error.description)
    } catch {
      self = .fault("\(type(of: error)): \(error)")
    }
  }

  var isAccepted: Bool { if case .accepted = self { true } else { false } }

  var text: String {
    switch self {
    case .accepted: "accepted"
    case .refused(let why): "refused: " + why
    case .fault(let what): "FAULT: " + what
    }
  }
}

/// An input that did harm, and what it did.
struct Fault {
  let target: String
  let input: [UInt8]
  let what: String

  /// Writes `TARGET-DIGEST.input` and `.txt` beside it.
  func keep(in folder: String) throws {
    var digest = SHA256()
    input.withUnsafeBytes { digest.update($0) }
    let path = "\(folder)/faults/\(target)-\(digest.finish().prefix(12))"
    try FileManager.default.createDirectory(
      atPath: folder + "/faults", withIntermediateDirectories: true)
    try Data(input).write(to: URL(fileURLWithPath: path + ".input"))
    try Data((what + "\n").utf8).write(to: URL(fileURLWithPath: path + ".txt"))
  }
}

/// Inputs that did something new, to go on from: those that were accepted, which get further, and
/// those that were refused in some new way.
struct Corpus {
  private let seeds: [[UInt8]]
  private var accepted: [[UInt8]] = []
  private var refused: [[UInt8]] = []
  private static let most = 4000

  init(_ seeds: [[UInt8]]) { self.seeds = seeds }

  var count: Int { seeds.count + accepted.count + refused.count }

  /// One of them; seeds are taken for a third, since what grew out of them drifts.
  func pick(_ mutator: inout Mutator) -> [UInt8] {
    let kind = mutator.random.below(20)
    if kind < 2, !refused.isEmpty { return mutator.pick(refused) }
    if kind < 13, !accepted.isEmpty { return mutator.pick(accepted) }
    return seeds.isEmpty ? [] : mutator.pick(seeds)
  }

  mutating func add(_ input: [UInt8], isAccepted: Bool, took nanoseconds: Int) {
    // What is slow would be most of the time.
    guard nanoseconds < 200_000_000, input.count < 1 << 17 else { return }
    if isAccepted, accepted.count < Self.most { accepted.append(input) }
    if !isAccepted, refused.count < Self.most { refused.append(input) }
  }
}

/// Ends a worker whose input takes too long or too much memory.
enum Watch {
  /// Nanoseconds of processor time of this process.
  static func processorTime() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
  }

  static func start(_ status: StatusFile, seconds: Double, megabytes: Int) {
    nonisolated(unsafe) let status = status
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    Thread.detachNewThread {
      var inputs = -1
      var since = MonotonicClock.seconds()
      while true {
        usleep(50_000)
        if status[.inputs] != inputs {
          inputs = status[.inputs]
          since = MonotonicClock.seconds()
        }
        guard status[.isRunning] == 1 else { continue }
        if Double(processorTime() - status[.began]) > seconds * 1e9 { end(status, 1) }
        // Asleep for ever.
        if MonotonicClock.seconds() - since > 30 * seconds { end(status, 3) }
        if let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
          let resident = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) }),
          resident * page > megabytes << 20
        {
          end(status, 2)
        }
      }
    }
  }

  private static func end(_ status: StatusFile, _ reason: Int) -> Never {
    status[.reason] = reason
    _exit(99)
  }
}
