import Foundation
import TritLab

/// Contests of the program in `Tests/ArenaCheats`, as small as they can be.
enum ArenaTesting {
  /// The program beside the running test bundle.
  static let program: String = {
    let bundle = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
    return bundle.resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("trit-arena-cheats").path
  }()

  /// A contest of a few milliseconds beside its checks. `isOutside` makes the contestant one that
  /// comes from a file.
  static func request(_ contestant: String, isOutside: Bool = true) -> ArenaRequest {
    var request = ArenaRequest(
      contestant: contestant, file: isOutside ? "/nowhere/\(contestant).c" : nil,
      origin: isOutside ? "sha256:00" : nil, baselines: ["i2_s"],
      cases: ArenaSuite.cases([WeightShape(320, 640)], tokens: [1, 4]))
    request.runs = 3
    request.budget = 0.05
    request.fromMemory = false
    request.limit = 60
    return request
  }

  static func run(_ request: ArenaRequest) throws -> ArenaResult {
    try Arena.run(request, program: program)
  }
}

extension ArenaResult {
  /// What a check found; nil where it passed or was not reached.
  func found(_ check: ArenaCheck) -> String? {
    verdicts.first { $0.check == check && !$0.isFine }?.found
  }
}
