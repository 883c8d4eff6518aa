import Foundation
import Testing
import _TritTestSupport

/// A plug-in of Swift whose stage is wrong is refused by the command, in words that name file,
/// stage and law, and costs nothing else.
@Suite struct PluginRefusalTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("refused") }

  /// A plug-in that `trit new` writes, with `old` replaced.
  private func spoiled(_ stage: String, _ old: String, _ new: String) throws -> String {
    let made = try CommandRunner.run(
      ["new", stage, "bad", "--language", "swift", "-o", stage], folder: folder.path)
    #expect(made.status == 0, "\(made)")
    let path = "\(stage)/bad.swift"
    let text = try String(contentsOfFile: folder.file(path), encoding: .utf8)
    #expect(text.contains(old), "\(stage): no \(old)")
    try folder.write(text.replacing(old, with: new), to: path)
    return path
  }

  private func list(_ path: String) throws -> CommandResult {
    try CommandRunner.run(["list", "--plugin", path], folder: folder.path)
  }

  @Test(arguments: [
    (
      "quantizer", "scale: Float(sum / count)", "scale: .nan", "weight quantizer 'bad'",
      "what the result stands for is finite"
    ),
    (
      "sampler", "if left < 0 { break }", "break", "sampler 'bad'",
      "frequencies follow the softmax"
    ),
    (
      "measure", "key: \"bad.entropy\"", "key: \"entropy\"", "measure 'bad'",
      "columns are of the measure's own metrics"
    ),
    (
      "figure", "static let key = \"bad\"", "static let key = \"../bad\"", "figure '../bad'",
      "a key is letters, digits, '-' and '_'"
    ),
  ])
  func aBrokenLawIsNamed(
    stage: String, old: String, new: String, name: String, law: String
  ) throws {
    let path = try spoiled(stage, old, new)
    let result = try list(path)
    #expect(result.status == 2 && result.out.isEmpty, "\(result)")
    for part in [path, name, law] { #expect(result.err.contains(part), "\(part): \(result)") }
  }

  @Test func aCrashIsNamed() throws {
    let path = try spoiled(
      "cache", "let keys: AlignedBuffer<UInt16>",
      "var trap: Int { [Int]()[heads] }\n    let keys: AlignedBuffer<UInt16>")
    let text = try String(contentsOfFile: folder.file(path), encoding: .utf8)
    try folder.write(
      text.replacing("var bytesPerPosition: Int { 4", with: "var bytesPerPosition: Int { trap + 4"),
      to: path)
    let result = try list(path)
    #expect(result.status == 1 && result.out.isEmpty, "\(result)")
    #expect(result.err.contains("while the laws of KV cache 'bad' were checked"), "\(result)")
    #expect(result.err.contains("cache/bad.swift"), "\(result)")
  }

  @Test func aNameThatIsTakenNamesBoth() throws {
    let path = try spoiled("quantizer", "\"bad\", summary", "\"absmean\", summary")
    let result = try list(path)
    #expect(result.status == 64 && result.out.isEmpty, "\(result)")
    for part in [
      "quantizer/bad.swift", "there are two of the weight quantizer 'absmean'",
      "'absmean' from built in",
    ] {
      #expect(result.err.contains(part), "\(part): \(result)")
    }
    #expect(!result.err.contains("of this program"), "\(result)")
  }
}
