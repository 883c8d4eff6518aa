import Foundation
import TritLab

/// Feeds the lab changed inputs, in this process, and watches what it says.
///
///     trit-fuzz list                              the targets
///     trit-fuzz run [TARGET…] [--seconds T] [--count N] [--seed S] [--output DIR]
///     trit-fuzz repro FILE                        runs one input that was kept again
///     trit-fuzz coverage [DIR]                    lines of the last run's coverage, by file
///
/// A run ends with 1 where there was a fault, or where a target accepted less than its least share.
@main struct FuzzProgram {
  static func main() {
    // As the command does before anything else.
    signal(SIGPIPE, SIG_IGN)
    do {
      exit(try run(Array(CommandLine.arguments.dropFirst())))
    } catch {
      FileHandle.standardError.write(Data("trit-fuzz: error: \(error)\n".utf8))
      exit(70)
    }
  }

  private static func run(_ words: [String]) throws -> Int32 {
    let options = FuzzOptions(words)
    switch options.action {
    case "list":
      for target in FuzzTarget.all {
        say(target.name.padding(toLength: 18, withPad: " ", startingAt: 0) + target.summary)
      }
      return 0
    case "run": return try FuzzDriver(options).run()
    case "worker": return try FuzzWorker(options).run()
    case "repro": return try FuzzWorker.reproduce(options.names.first ?? "")
    case "coverage": return try CoverageReport(options.names.first ?? options.output).tell()
    default:
      say(
        "usage: trit-fuzz list | run [TARGET…] [--seconds T] [--count N] [--seed S] [--output DIR] | repro FILE | coverage"
      )
      return 64
    }
  }
}

/// A line on standard output, at once.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

/// What was asked for.
struct FuzzOptions {
  var action = ""
  var names: [String] = []
  /// Of all targets together.
  var seconds: Double?
  /// Inputs of each target.
  var count: Int?
  var seed: UInt64 = 1
  var output = ".build/fuzz"
  /// Seconds of processor time that one input may take.
  var limit = 10.0
  /// MiB that a worker may hold.
  var memory = 4096

  init(_ words: [String]) {
    var rest = words[...]
    action = rest.popFirst() ?? ""
    while let word = rest.popFirst() {
      switch word {
      case "--seconds": seconds = rest.popFirst().flatMap(Double.init)
      case "--count": count = rest.popFirst().flatMap { Int($0) }
      case "--seed": seed = rest.popFirst().flatMap { UInt64($0) } ?? 1
      case "--output": output = rest.popFirst() ?? output
      case "--limit": limit = rest.popFirst().flatMap(Double.init) ?? limit
      case "--memory": memory = rest.popFirst().flatMap { Int($0) } ?? memory
      default: names.append(word)
      }
    }
  }

  var targets: [FuzzTarget] {
    get throws {
      try names.isEmpty
        ? FuzzTarget.all
        : names.map { name in
          guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
            throw LabError(
              .usage, "unknown target '\(name)'",
              expected: FuzzTarget.all.map(\.name).joined(separator: ", "))
          }
          return target
        }
    }
  }
}
