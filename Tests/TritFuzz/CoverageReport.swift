import Foundation
import TritLab

/// How much of its sources each target reached, from the `.edges` files of a run: edges by file,
/// which `llvm-symbolizer` finds.
struct CoverageReport {
  private let folder: String

  init(_ folder: String) { self.folder = folder }

  func tell() throws -> Int32 {
    var covered: [String: [Bool]] = [:]
    var offsets: [Substring] = []
    for target in FuzzTarget.all {
      guard
        let text = try? String(contentsOfFile: "\(folder)/\(target.name).edges", encoding: .utf8)
      else { continue }
      let lines = text.split(separator: "\n")
      covered[target.name] = lines.map { $0.hasSuffix("1") }
      if offsets.isEmpty { offsets = lines.map { $0.prefix { $0 != " " } } }
    }
    guard !offsets.isEmpty else {
      throw LabError(
        .missingInput, "no coverage was kept", at: folder,
        advice: "build and run with 'make fuzz' first")
    }
    let files = try Self.files(offsets)
    guard files.count == offsets.count else {
      throw LabError(.failure, "llvm-symbolizer answered \(files.count) of \(offsets.count) places")
    }
    say("target            edges of its sources, reached")
    for target in FuzzTarget.all {
      guard let hits = covered[target.name] else { continue }
      let own = files.indices.filter { index in
        target.sources.contains { files[index].contains("/" + $0) }
      }
      let reached = own.reduce(0) { $0 + (hits[$1] ? 1 : 0) }
      let share = own.isEmpty ? 0 : 100 * Double(reached) / Double(own.count)
      say(
        target.name.padding(toLength: 18, withPad: " ", startingAt: 0)
          + String(format: "%6d of %6d, %5.1f %%", reached, own.count, share))
    }
    return 0
  }

  /// The source file of every place of this program.
  private static func files(_ offsets: [Substring]) throws -> [String] {
    let folder = NSTemporaryDirectory()
    let (question, answer) = (folder + "trit-fuzz.places", folder + "trit-fuzz.files")
    let text = offsets.map { "0x\($0)\n" }.joined()
    try Data(text.utf8).write(to: URL(fileURLWithPath: question))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    process.arguments = [
      "-c",
      "llvm-symbolizer --no-inlines --functions=none --obj='\(program)' < '\(question)' > '\(answer)'",
    ]
    try process.run()
    process.waitUntilExit()
    return try String(contentsOfFile: answer, encoding: .utf8).components(separatedBy: "\n\n")
      .filter { !$0.isEmpty }
  }
}
