internal import CTritPlugin
import Foundation
import TritCore
import TritKernels

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the child tells its parent on descriptor 3, a line each:
///
/// - `H`: it is a child that checks;
/// - `B start end`: the library is loaded, at these addresses (hexadecimal);
/// - `K number step`: it now does that step with that kernel; `laws of NAME` with a stage of Swift;
/// - `V json`: the verdict, the last line of a child that came to its end;
/// - `S`, `F`: where it crashed or was out of time (`trit_child_watch`).
enum PluginChild {
  /// The last line of a child.
  struct Verdict: Codable {
    struct Broken: Codable {
      /// nil where the evidence names it.
      var kernel: String?
      var law: String
      var evidence: String
    }
    /// Why the library was refused.
    struct Refusal: Codable {
      var kind: Int32
      var what: String
      var place: String?
      var expected: String?
      var got: String?
      var advice: String?
      var code: String
    }
    var broken: [Broken] = []
    var refusal: Refusal?

    mutating func note(_ violations: [LawViolation], of kernel: String?) {
      broken += violations.map { Broken(kernel: kernel, law: $0.law, evidence: $0.evidence) }
    }
  }

  /// Where the report goes.
  static let descriptor: Int32 = 3
  /// Violations that are told of a kernel.
  static let limit = 8

  /// Checks the library `words[0]`, which was made of the file `words[1]`, within `words[2]`
  /// seconds.
  static func main(_ words: [String], entry: SwiftEntry?) -> Int32 {
    guard words.count == 4, let seconds = UInt32(words[3]), fcntl(descriptor, F_GETFD) >= 0 else {
      let text = "this word is for the lab's own use, in a child that checks a plug-in\n"
      FileHandle.standardError.write(Data(text.utf8))
      return LabError.Kind.usage.rawValue
    }
    trit_child_watch(descriptor, seconds)
    tell("H")
    var verdict = Verdict()
    do {
      if words[1].hasSuffix(".swift") {
        try checkSwift(words[0], of: words[1], digest: words[2], entry: entry, &verdict)
      } else {
        try checkKernels(words[0], of: words[1], digest: words[2], &verdict)
      }
    } catch {
      let error = error as? LabError ?? LabError(.failure, "\(error)", at: words[1])
      verdict.refusal = Verdict.Refusal(
        kind: error.kind.rawValue, what: error.what, place: error.place, expected: error.expected,
        got: error.got, advice: error.advice, code: error.code.rawValue)
    }
    guard let json = try? JSONEncoder().encode(verdict) else { return 1 }
    tell("V " + String(decoding: json, as: UTF8.self))
    return 0
  }

  private static func tellPlace(_ start: UInt, _ end: UInt) {
    tell("B \(String(start, radix: 16)) \(String(end, radix: 16))")
  }

  private static func checkKernels(
    _ library: String, of path: String, digest: String, _ verdict: inout Verdict
  ) throws {
    let library = try PluginLibrary(library, of: path, loaded: tellPlace)
    for (number, entry) in library.entries.enumerated() where entry.features.missingHere.isEmpty {
      let kernel = CKernel(entry, digest: digest)
      tell("K \(number) packing")
      var violations = packing(kernel)
      if violations.isEmpty {
        tell("K \(number) laws")
        violations = checkLinearKernel(kernel, limit: limit)
      }
      if violations.isEmpty {
        tell("K \(number) threads")
        violations = threads(kernel)
      }
      verdict.note(violations, of: kernel.name)
    }
  }

  private static func checkSwift(
    _ library: String, of path: String, digest: String, entry: SwiftEntry?, _ verdict: inout Verdict
  ) throws {
    guard let entry else {
      throw LabError(
        .usage, "this program takes no plug-ins of Swift", at: path,
        advice: "give Plugins.childMain the SwiftEntry of the loaders")
    }
    let plugin = try SwiftPlugin(library, of: path, digest: digest, loaded: tellPlace)
    tell("K 0 register")
    verdict.note(try entry.check(plugin) { tell("K 0 laws of \($0)") }, of: nil)
  }

  private static func tell(_ line: String) {
    Descriptor.write(line + "\n", to: descriptor)
  }

  /// What the kernel's own functions say of their bytes, for every shape: `checkLinearKernel` would
  /// take an error of `prepare` for a refusal of that shape.
  private static func packing(_ kernel: CKernel) -> [LawViolation] {
    for shape in WeightShape.awkward {
      let trits = AlignedBuffer((0..<shape.rows * shape.columns).map { Int8($0 * 7 % 3) - 1 })
      let matrix = TernaryMatrix(
        rows: shape.rows, columns: shape.columns, trits: trits, scales: [1])
      do {
        _ = try kernel.prepare(.ternary(matrix))
      } catch {
        let error = error as? LabError ?? LabError(.failure, "\(error)")
        let parts = [
          error.what, error.expected.map { "expected \($0)" }, error.got.map { "got \($0)" },
        ]
        return [
          LawViolation(
            "any shape is packed, within the bytes that were asked for",
            parts.compactMap(\.self).joined(separator: "; "))
        ]
      }
    }
    return []
  }

  /// Ranges of rows on several threads at once give what one thread gives: a kernel with a static
  /// scratch would not.
  private static func threads(_ kernel: CKernel) -> [LawViolation] {
    let shape = WeightShape(256, 640)
    let tokens = 4
    let trits = AlignedBuffer((0..<shape.rows * shape.columns).map { Int8($0 * 7 % 3) - 1 })
    let matrix = TernaryMatrix(rows: shape.rows, columns: shape.columns, trits: trits, scales: [1])
    guard let layer = try? kernel.prepare(.ternary(matrix)) else { return [] }
    let x = QuantizedRows(capacity: tokens, columns: shape.columns)
    x.begin(rows: tokens, form: .int8)
    for token in 0..<tokens {
      for k in 0..<shape.columns { x.row(token)[k] = Int8(truncatingIfNeeded: 31 * token + 7 * k) }
      x.scales[token] = 1
      x.sums[token] = (0..<shape.columns).reduce(0) { $0 + Int32(x.row(token)[$1]) }
    }
    if let layout = layer.inputLayout { _ = x.built(layout) }
    let alone = Matrix<Int32>(rows: tokens, columns: shape.rows)
    _ = layer.accumulate(x, rows: 0..<shape.rows, into: alone.mutableView)
    let unit = layer.rowAlignment
    let each = (shape.rows + 8 * unit - 1) / (8 * unit) * unit
    let parts = (shape.rows + each - 1) / each
    for _ in 0..<8 {
      let found = Matrix<Int32>(rows: tokens, columns: shape.rows)
      DispatchQueue.concurrentPerform(iterations: parts) { part in
        let range = part * each..<min((part + 1) * each, shape.rows)
        _ = layer.accumulate(x, rows: range, into: found.mutableView)
      }
      for token in 0..<tokens {
        for row in 0..<shape.rows where found[token, row] != alone[token, row] {
          let evidence =
            "token \(token), row \(row): \(found[token, row]) for \(alone[token, row]); \(parts) "
            + "ranges of rows at once"
          return [LawViolation("several threads at once give what one gives", evidence)]
        }
      }
    }
    return []
  }
}
