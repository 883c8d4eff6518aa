import Foundation
import TritCore

/// One measured case.
public struct ArenaLine: Codable, Sendable, Equatable {
  /// A baseline on the same case, run in turn with the contestant.
  public struct Rival: Codable, Sendable, Equatable {
    /// The kernel, as it was named.
    public var kernel: String
    /// Median seconds of a multiply.
    public var seconds: Double
    /// How many times as fast the contestant is: the median over the runs of the baseline's time
    /// over the contestant's.
    public var ratio: Double
  }

  /// The product.
  public var product: ArenaCase
  /// Whether caches were flushed before each multiply, so that weights came from memory.
  public var fromMemory: Bool
  /// Runs that count, each with weights of its own.
  public var runs: Int
  /// Multiplies that were timed, all runs together; each had inputs of its own and was checked.
  public var repetitions: Int
  /// Median seconds of a multiply, the input layout included.
  public var seconds: Double
  /// Standard error of the runs, as a share of `seconds`.
  public var spread: Double
  /// Bytes of weights that a multiply reads, as the layer says.
  public var weightBytes: Int
  /// Multiplications and additions a second.
  public var operationsPerSecond: Double
  /// Bytes of weights a second.
  public var bytesPerSecond: Double
  /// What bounds it: `int8` (the peak of multiply-adds) or `read`, both measured in this contest.
  public var roof: String
  /// The share of that roof. Kernels that look products up may pass the peak of multiply-adds.
  public var roofShare: Double
  /// Whether every timed output was the exact product.
  public var sumsAreExact: Bool
  /// Baselines.
  public var rivals: [Rival]
  /// What is wrong with it; nil where it passed.
  public var fault: String?
}

/// A contest: who ran where and how, what was checked, what was measured, and the score.
///
/// Written as JSON of the schema `trit/arena/1`. A program of a later schema says so, and this one
/// refuses it by name.
public struct ArenaResult: Codable, Sendable, Equatable {
  /// The form of this document.
  public static let currentSchema = "trit/arena/1"

  /// `trit/arena/1`.
  public var schema = currentSchema
  /// The contestant's name.
  public var kernel: String
  /// The kernel that ran, where the contestant chooses one.
  public var runs: String?
  /// The digest of the file and of what it was built with; nil where it is built in.
  public var origin: String?
  /// The file's name, without its folders; nil where it is built in.
  public var file: String?
  /// The CPU as it names itself.
  public var cpu: String
  /// Threads of a multiply.
  public var threads: Int
  /// The seed of all inputs, in hexadecimal.
  public var seed: String
  /// Whether the seed was drawn by the system after the contestant was loaded.
  public var seedWasSecret: Bool
  /// The version of the lab.
  public var version: String
  /// The commit of the lab, where known.
  public var commit: String?
  /// The kernel that the score is held against.
  public var baseline: String
  /// The cases, in the order that was asked for; without a fault, one line each.
  public var lines: [ArenaLine]
  /// What was checked, as far as the contest came.
  public var verdicts: [ArenaVerdict]
  /// The geometric mean over the cases of how many times as fast as the baseline the contestant is.
  /// nil unless every check passed, every case was measured, and the seed was secret.
  public var score: Double?

  /// Whether all that was checked is well, and nothing is missing.
  public var passed: Bool {
    !lines.isEmpty && verdicts.allSatisfy(\.isFine) && lines.allSatisfy { $0.fault == nil }
      && Set(verdicts.map(\.check)) == Set(ArenaCheck.allCases)
  }

  /// The score that lines and verdicts give.
  var derivedScore: Double? {
    guard passed, seedWasSecret else { return nil }
    let ratios = lines.compactMap { $0.rivals.first?.ratio }
    guard ratios.count == lines.count, ratios.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      return nil
    }
    return exp(ratios.map { log($0) }.reduce(0, +) / Double(ratios.count))
  }

  /// Why there is no score; nil where there is one.
  public var reason: String? {
    if score != nil { return nil }
    if let failed = verdicts.first(where: { !$0.isFine }) { return failed.description }
    if let line = lines.first(where: { $0.fault != nil }) {
      return "FAIL \(line.product): \(line.fault ?? "")"
    }
    if !passed { return "the contest did not come to its end" }
    return "the seed was given, not secret"
  }

  /// The document, on one line or, `pretty`, on several.
  public func json(pretty: Bool = false) -> String { ArenaJSON.text(self, pretty: pretty) }

  /// Reads one document. Throws `badData` that names `place` where it is no result, of another
  /// schema, or one whose parts contradict each other.
  public init(json: some StringProtocol, at place: String) throws {
    let again = "ask for it again: trit arena KERNEL --json > FILE"
    guard let head = try? ArenaJSON.value(ArenaResultHead.self, json) else {
      throw LabError(
        .badData, "no result of an arena: it is not a JSON object", at: place,
        expected: "a document of the schema \(Self.currentSchema)", advice: again)
    }
    guard head.schema == Self.currentSchema else {
      throw LabError(
        .badData, "no result that this program reads", at: place,
        expected: "schema \(Self.currentSchema)", got: head.schema ?? "no schema",
        advice: head.schema?.hasPrefix("trit/arena/") == true
          ? "read it with the version of trit that wrote it, or run the contest again" : again)
    }
    do {
      self = try ArenaJSON.value(ArenaResult.self, json)
    } catch {
      throw LabError(
        .badData, "a damaged result of an arena: \(Self.words(error))", at: place, advice: again)
    }
    if let fault = contradiction {
      throw LabError(.badData, "a damaged result of an arena: \(fault)", at: place, advice: again)
    }
  }

  /// What cannot be in a result that a contest wrote; nil where all fits.
  private var contradiction: String? {
    for line in lines {
      let product = line.product
      guard (1...ArenaCase.rowLimit).contains(product.rows),
        (1...ArenaCase.columnLimit).contains(product.columns),
        (1...ArenaCase.tokenLimit).contains(product.tokens)
      else { return "a case of \(product)" }
      let figures = [line.seconds, line.operationsPerSecond, line.bytesPerSecond]
      guard figures.allSatisfy({ $0.isFinite && $0 > 0 }) else {
        return "no time for \(product)"
      }
      guard abs(product.operations / line.seconds / line.operationsPerSecond - 1) < 1e-6 else {
        return "Gop/s and seconds of \(product) do not fit"
      }
      if line.rivals.first?.kernel != baseline {
        return "\(product) was not raced against the baseline '\(baseline)'"
      }
      if line.fault == nil, !line.sumsAreExact { return "\(product) is inexact without a fault" }
    }
    if Set(lines.map(\.product)).count != lines.count { return "a case stands in it twice" }
    switch (score, derivedScore) {
    case (nil, nil): return nil
    case (let given?, let right?) where abs(given / right - 1) < 1e-6: return nil
    case (let given?, let right?): return "the score is \(given), its lines give \(right)"
    case (_?, nil): return "a score, though \(Self.without(score, self).reason ?? "it has none")"
    case (nil, _?): return "no score, though its lines give one"
    }
  }

  private static func without(_ score: Double?, _ result: ArenaResult) -> ArenaResult {
    var copy = result
    copy.score = nil
    return copy
  }

  private static func words(_ error: any Error) -> String {
    func path(_ keys: [any CodingKey]) -> String {
      keys.map { $0.intValue.map { "\($0)" } ?? $0.stringValue }.joined(separator: ".")
    }
    switch error as? DecodingError {
    case .keyNotFound(let key, let context):
      return "'\(path(context.codingPath + [key]))' is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "'\(path(context.codingPath))' is of another type"
    case .dataCorrupted(let context):
      return "'\(path(context.codingPath))' cannot be read"
    default: return "it cannot be read"
    }
  }

  init(request: ArenaRequest, seed: UInt64) {
    kernel = request.name
    origin = request.origin
    file = request.file.flatMap { $0.split(separator: "/").last.map(String.init) }
    cpu = HostInformation.cpuName
    threads = request.threads
    self.seed = "0x" + String(seed, radix: 16)
    seedWasSecret = request.seed == nil
    version = BuildInformation.version
    commit = BuildInformation.commit
    baseline = request.baselines.first ?? ""
    lines = []
    verdicts = []
  }
}

/// The part of a document that says what it is.
private struct ArenaResultHead: Decodable { let schema: String? }
